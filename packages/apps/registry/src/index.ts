export { parseOptions } from './config/parse-options.ts'
export { openRegistry, type OpenRegistry } from './open-registry.ts'
