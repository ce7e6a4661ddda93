import type { Template, TemplateJoin } from '../syntax/nodes.ts'
import { ConversionError, convert } from '../values/convert.ts'
import { string } from '../values/types.ts'
import { isKnown, isNull, itemsOf, stringValue, textOf, unknown, type Value } from '../values/value.ts'
import { type Context, evaluate, report } from './evaluate.ts'

const summary = 'Invalid template interpolation value'

export function evaluateTemplate({ parts }: Template, context: Context): Value {
  const texts: string[] = []
  let isComplete = true
  for (const part of parts) {
    const value = evaluate(part, context)
    if (isNull(value)) {
      const detail = 'The expression result is null. Cannot include a null value in a string template.'
      report(context, summary, detail, part.range)
      continue
    }
    if (!isKnown(value)) {
      isComplete = false
      continue
    }
    try {
      texts.push(textOf(convert(value, string)))
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error
      const detail = `Cannot include the given value in a string template: ${error.message}.`
      report(context, summary, detail, part.range)
    }
  }
  return isComplete ? stringValue(texts.join('')) : { ...unknown, type: string }
}

export function evaluateJoin({ tuple, range }: TemplateJoin, context: Context): Value {
  const value = evaluate(tuple, context)
  if (!isKnown(value)) return { ...unknown, type: string }
  const texts: string[] = []
  for (const item of itemsOf(value)) {
    if (isNull(item)) {
      report(context, summary, 'An iteration result is null. Cannot include a null value in a string template.', range)
    } else if (isKnown(item)) texts.push(textOf(convert(item, string)))
    else return { ...unknown, type: string }
  }
  return stringValue(texts.join(''))
}
