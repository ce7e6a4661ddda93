import { type Diagnostic, refuseIfAny } from '../syntax/diagnostic.ts'
import type { Attribute, Block, Body } from '../syntax/nodes.ts'
import { suggest } from '../syntax/suggest.ts'

/** What a body may have in it. */
export interface Schema {
  readonly attributes: readonly string[]
  readonly required?: readonly string[]
  readonly blocks?: readonly string[]
  /** What is not in the schema is let be. */
  readonly isOpen?: boolean
}

export interface Content {
  readonly attributes: ReadonlyMap<string, Attribute>
  readonly blocks: readonly Block[]
}

/** The attributes and blocks of a body; throws BakeFileError for what is missing or unknown. */
export function checkBody(body: Body, schema: Schema): Content {
  const attributes = new Map(body.attributes.map((attribute) => [attribute.name, attribute]))
  const problems: Diagnostic[] = []
  for (const name of schema.required ?? []) {
    if (attributes.has(name)) continue
    const detail = `The argument "${name}" is required, but no definition was found.`
    problems.push({ summary: 'Missing required argument', detail, subject: body.missingRange })
  }
  if (schema.isOpen !== true) problems.push(...unknownIn(body, schema, attributes))
  refuseIfAny(problems)
  return { attributes, blocks: body.blocks.filter(({ type }) => schema.blocks?.includes(type)) }
}

function unknownIn(body: Body, schema: Schema, given: ReadonlyMap<string, Attribute>): Diagnostic[] {
  const blocks = schema.blocks ?? []
  const unused = schema.attributes.filter((name) => !given.has(name))
  const attributes = body.attributes
    .filter(({ name }) => !schema.attributes.includes(name))
    .map(({ name, nameRange }): Diagnostic => {
      const isJson = body.syntax === 'json'
      const hint = suggest(name, isJson ? [...unused, ...blocks] : unused)
      const asBlock = blocks.includes(name) ? ` Did you mean to define a block of type "${name}"?` : ''
      return isJson
        ? {
            summary: 'Extraneous JSON object property',
            detail: `No argument or block type is named "${name}".${hint}`,
            subject: nameRange,
          }
        : {
            summary: 'Unsupported argument',
            detail: `An argument named "${name}" is not expected here.${hint || asBlock}`,
            subject: nameRange,
          }
    })
  const unknownBlocks = body.blocks
    .filter(({ type }) => !blocks.includes(type))
    .map(({ type, typeRange }): Diagnostic => {
      const asArgument = schema.attributes.includes(type)
        ? ` Did you mean to define argument "${type}"? If so, use the equals sign to assign it a value.`
        : ''
      const detail = `Blocks of type "${type}" are not expected here.${suggest(type, blocks) || asArgument}`
      return { summary: 'Unsupported block type', detail, subject: typeRange }
    })
  return [...attributes, ...unknownBlocks]
}
