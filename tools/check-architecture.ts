// Holds the tree against the architecture: arrows, declared imports, single importers, and the drawn graph.
// --write redraws the graph in docs/architecture.md.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkManifests, checkSource, checkTypesOnly, drawGraph, importsOf, readPackages } from './architecture.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const maxLines = 400

function trackedFiles(): string[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return list.split('\0').filter((file) => file !== '' && existsSync(join(root, file)))
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** What only makes sense on the machine where it was written. */
function checkPlaces(file: string, text: string): string[] {
  return text.includes(`${root}packages`) || text.includes(`${root}bin`)
    ? [`${file}: names the path of this checkout`]
    : []
}

/** tests/ sees the product from outside: it imports no package but testing. */
function checkBlackBox(file: string, source: string): string[] {
  return importsOf(source)
    .filter(({ specifier }) => specifier.startsWith('@berth/') && specifier !== '@berth/testing')
    .map(({ specifier }) => `${file}: ${specifier}: the black-box tests import @berth/testing only`)
}

function checkGraph(graph: string, write: boolean): string[] {
  const path = join(root, 'docs/architecture.md')
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const block = /(<!-- graph -->\n)[\s\S]*?(\n<!-- \/graph -->)/
  if (!block.test(text)) return ['docs/architecture.md: the <!-- graph --> block is missing']
  const drawn = text.replace(block, (_, open: string, close: string) => open + graph + close)
  if (drawn === text) return []
  if (!write) return ['docs/architecture.md: the graph is out of date; run npm run architecture -- --write']
  writeFileSync(path, drawn)
  return []
}

function main(): void {
  const packages = readPackages(root)
  const problems = checkManifests(packages)
  const warnings: string[] = []
  for (const file of trackedFiles().filter((name) => /\.(ts|mjs|md|json|sh)$/.test(name))) {
    const text = read(file)
    problems.push(...checkPlaces(file, text))
    if (!file.endsWith('.ts')) continue
    const owner = packages.find((p) => file.startsWith(`${p.folder}/`))
    if (owner) problems.push(...checkSource(owner, file, text), ...checkTypesOnly(packages, owner, file, text))
    if (file.startsWith('tests/')) problems.push(...checkBlackBox(file, text))
    const lines = text.split('\n').length
    if (lines > maxLines && !file.includes('/generated/'))
      warnings.push(`${file}: ${lines} lines; what second thing does it do?`)
  }
  problems.push(...checkGraph(drawGraph(packages), process.argv.includes('--write')))
  for (const line of warnings) console.warn(`warning: ${line}`)
  for (const line of problems) console.error(line)
  if (problems.length > 0) process.exit(1)
}

main()
