export { TemplateError } from './errors.ts'
export { toJson } from './escape.ts'
export type { ExecuteOptions } from './executor.ts'
export { formatValue, sprintf } from './format.ts'
export { dockerFunctions, type FunctionTable, type TemplateFunction } from './functions.ts'
export { quote } from './quote.ts'
export { parseTemplate, type Template, type TemplateOptions } from './template.ts'
export {
  goElement,
  type GoFields,
  goFields,
  GoDuration,
  GoFloat,
  goKey,
  GoTime,
  goType,
  nilMap,
  nilPointer,
  nilSlice,
} from './value.ts'
