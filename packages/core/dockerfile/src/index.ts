export { applyChanges } from './config/apply-changes.ts'
export {
  applyInstruction,
  commandLine,
  type ConfigDraft,
  environmentOf,
  expandPairs,
  shellOf,
} from './config/apply-instruction.ts'
export { DockerfileError, type LineRange, locate } from './dockerfile-error.ts'
export { compilePath, type IgnoreRules, ignoreRules, parseIgnoreFile, type PathPattern } from './ignore.ts'
export { parseInstruction } from './instructions/parse-instruction.ts'
export type {
  ArgInstruction,
  CommandLine,
  ConfigInstruction,
  CopyInstruction,
  FromInstruction,
  InlineFile,
  Instruction,
  Pair,
  RunInstruction,
  StageInstruction,
  WorkdirInstruction,
} from './instructions/types.ts'
export { type InstructionLine, parseLine } from './lines/parse-lines.ts'
export { type BuildArgs, globalVariables, platformArgs, StageArgs, unusedArgs } from './stages/variables.ts'
export { explainFailure } from './stages/explain-failure.ts'
export { type CheckReport, type CheckRequest, checkDockerfile, type CheckFailure } from './checks/check-dockerfile.ts'
export type { CheckWarning } from './checks/report.ts'
export { expandBases } from './stages/expand-bases.ts'
export { requireSources } from './stages/require-sources.ts'
export { closest, nearest } from './instructions/closest.ts'
export {
  type BuilderStyle,
  type Dockerfile,
  findStage,
  parseDockerfile,
  type Stage,
} from './stages/parse-dockerfile.ts'
export { type Environment, type Expanding, expandWord, expandWords, isPlainWord } from './words/expand-word.ts'
