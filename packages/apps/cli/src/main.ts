import { runCli } from './run-cli.ts'

// No top-level await: the bundle is CommonJS, which starts faster.
void runCli(process.argv.slice(2), process.env).then((code) => process.exit(code))
