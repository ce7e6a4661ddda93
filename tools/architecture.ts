// What the packages may know of each other, and how a tree of sources is held against it. Pure but for reading files.
import { readFileSync, readdirSync, existsSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

type Layer = 'core' | 'system' | 'services' | 'apps' | 'testing'

/** Which packages each package may depend on: names, or whole layers. Everything else is an error. */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  base: [],
  oci: ['base'],
  'engine-api': ['base'],
  archive: ['base'],
  'go-template': ['base'],
  dockerfile: ['base', 'oci'],
  bake: ['base'],
  linux: ['core'],
  database: ['core'],
  'engine-client': ['core'],
  registry: ['core'],
  'buildkit-protocol': ['core'],
  'buildkit-client': ['core', 'engine-client', 'buildkit-protocol'],
  events: ['core', 'system'],
  storage: ['core', 'system', 'events'],
  images: ['core', 'system', 'events', 'storage'],
  networks: ['core', 'system', 'events'],
  volumes: ['core', 'system', 'events', 'storage'],
  runtime: ['core', 'system', 'events'],
  builder: ['core', 'system', 'events', 'storage', 'images', 'runtime', 'networks'],
  buildkit: ['core', 'buildkit-protocol', 'linux', 'builder', 'images', 'storage'],
  containers: ['core', 'system', 'events', 'storage', 'volumes', 'images', 'runtime', 'networks'],
  api: ['core', 'services'],
  cli: ['core', 'buildkit-client', 'buildkit-protocol', 'engine-client', 'registry'],
  daemon: ['core', 'system', 'services', 'api'],
  'registry-server': ['core', 'system', 'storage'],
  testing: ['core', 'system'],
}

/** Packages that others may import for their types only. */
const typesOnly: Readonly<Record<string, Layer>> = { api: 'services' }

/** What only one package may import. */
const soleImporter: Readonly<Record<string, string>> = { koffi: 'linux', 'node:sqlite': 'database', pino: 'daemon' }

/** Folders that are bundled on their own and must stay small: the workspace packages they may import. */
const confined: Readonly<Record<string, readonly string[]>> = {
  'packages/services/runtime/src/supervisor': ['base', 'oci', 'linux'],
}

export interface Package {
  readonly name: string
  readonly layer: Layer
  /** Relative to the root. */
  readonly folder: string
  readonly dependencies: readonly string[]
  readonly devDependencies: readonly string[]
}

export interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
}

const scope = '@berth/'
const statement = /^[ \t]*(?:import|export)\s+(type\s)?(?:[\w*{][^'"`;]*?\bfrom\s+)?['"]([^'"\n]+)['"]/gm
const dynamic = /\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g

/** The module specifiers that a source file names. */
export function importsOf(source: string): Import[] {
  const found: Import[] = []
  for (const m of source.matchAll(statement)) found.push({ specifier: m[2]!, typeOnly: m[1] !== undefined })
  for (const m of source.matchAll(dynamic)) found.push({ specifier: m[1]!, typeOnly: false })
  return found
}

export function readPackages(root: string): Package[] {
  const layers: readonly Layer[] = ['core', 'system', 'services', 'apps']
  const folders = layers.flatMap((layer) =>
    readdirSync(join(root, 'packages', layer)).map((name) => ({ layer, folder: `packages/${layer}/${name}` })),
  )
  const all: { layer: Layer; folder: string }[] = [...folders, { layer: 'testing', folder: 'testing' }]
  return all.filter(({ folder }) => existsSync(join(root, folder, 'package.json'))).map((at) => readPackage(root, at))
}

function readPackage(root: string, at: { layer: Layer; folder: string }): Package {
  const manifest = JSON.parse(readFileSync(join(root, at.folder, 'package.json'), 'utf8')) as Record<string, unknown>
  const keys = (field: string): string[] => Object.keys((manifest[field] ?? {}) as object)
  const dependencies = [...keys('dependencies'), ...keys('optionalDependencies')]
  return { ...at, name: String(manifest['name']), dependencies, devDependencies: keys('devDependencies') }
}

const plain = (name: string): string => name.slice(scope.length)
const workspace = (names: readonly string[]): string[] => names.filter((name) => name.startsWith(scope))

/** Manifests against the table of arrows, and no cycles among them. */
export function checkManifests(packages: readonly Package[]): string[] {
  const layerOf = new Map(packages.map((p) => [p.name, p.layer]))
  const problems: string[] = []
  for (const p of packages) {
    const allowed = arrows[plain(p.name)]
    if (!allowed) {
      problems.push(`${p.folder}: ${p.name} has no row in the table of arrows (tools/architecture.ts)`)
      continue
    }
    for (const name of workspace(p.dependencies)) {
      if (allowed.includes(plain(name)) || allowed.includes(layerOf.get(name) ?? '')) continue
      problems.push(`${p.folder}/package.json: ${plain(p.name)} -> ${plain(name)} is no arrow of the architecture`)
    }
  }
  return [...problems, ...cycles(packages)]
}

function cycles(packages: readonly Package[]): string[] {
  const byName = new Map(packages.map((p) => [p.name, p]))
  const found: string[] = []
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) return void found.push(`cycle: ${[...path.slice(path.indexOf(name)), name].join(' -> ')}`)
    if (done.has(name)) return
    for (const next of workspace(byName.get(name)?.dependencies ?? [])) visit(next, [...path, name])
    done.add(name)
  }
  for (const p of packages) visit(p.name, [])
  return found
}

/** One source file of a package: every import is declared, allowed here, and goes through a package's front door. */
export function checkSource(p: Package, file: string, source: string): string[] {
  const problems: string[] = []
  const isTest = /\.test\.ts$|\/testdata\/|\/testing\//.test(file)
  for (const { specifier, typeOnly } of importsOf(source)) {
    const problem = specifier.startsWith('.')
      ? checkRelative(p, file, specifier)
      : (checkName(p, specifier, isTest) ?? checkPlace(p, file, { specifier, typeOnly }, isTest))
    if (problem) problems.push(`${file}: ${specifier}: ${problem}`)
  }
  return problems
}

function checkRelative(p: Package, file: string, specifier: string): string | undefined {
  const target = relative('/', resolve('/', dirname(file), specifier))
  if (!target.startsWith(`${p.folder}/`)) return 'reaches into another package; import it by name'
  return /\.(ts|json|cjs|mjs)$/.test(specifier) ? undefined : 'write the file extension'
}

function checkName(p: Package, specifier: string, isTest: boolean): string | undefined {
  if (specifier.startsWith('node:')) return undefined
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (name === p.name) return 'a package imports itself by relative path'
  if (name.startsWith(scope) && name !== specifier) return 'reaches behind a package’s index'
  if (p.dependencies.includes(name) || (isTest && p.devDependencies.includes(name))) return undefined
  return 'not declared in package.json'
}

function checkPlace(p: Package, file: string, { specifier, typeOnly }: Import, isTest: boolean): string | undefined {
  const sole = soleImporter[specifier]
  if (sole && sole !== plain(p.name)) return `only ${sole} imports it`
  if (!specifier.startsWith(scope)) return undefined
  for (const [folder, allowed] of Object.entries(confined)) {
    if (file.startsWith(`${folder}/`) && !isTest && !typeOnly && !allowed.includes(plain(specifier)))
      return `${folder} may import ${allowed.join(', ')} only`
  }
  return undefined
}

/** Packages that may be known by type only: what imports their values. */
export function checkTypesOnly(packages: readonly Package[], p: Package, file: string, source: string): string[] {
  const layer = typesOnly[plain(p.name)]
  if (!layer || file.endsWith('.test.ts')) return []
  const names = new Set(packages.filter((other) => other.layer === layer).map((other) => other.name))
  return importsOf(source)
    .filter(({ specifier, typeOnly }) => names.has(specifier) && !typeOnly)
    .map(({ specifier }) => `${file}: ${specifier}: import type only`)
}

/** The packages as a mermaid graph. Arrows that follow from others are left out. */
export function drawGraph(packages: readonly Package[]): string {
  const direct = new Map(packages.map((p) => [p.name, new Set(workspace(p.dependencies))]))
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>()
    const visit = (name: string): void => {
      for (const next of direct.get(name) ?? []) if (!seen.has(next)) visit((seen.add(next), next))
    }
    visit(from)
    return seen
  }
  const lines = ['```mermaid', 'graph TD']
  for (const layer of ['apps', 'services', 'system', 'core'] as const) {
    lines.push(`  subgraph ${layer}`)
    for (const p of packages) if (p.layer === layer) lines.push(`    ${plain(p.name)}`)
    lines.push('  end')
  }
  for (const p of packages.filter(({ layer }) => layer !== 'testing')) {
    const mine = [...direct.get(p.name)!]
    const implied = new Set(mine.flatMap((name) => [...reach(name)]))
    for (const name of mine) if (!implied.has(name)) lines.push(`  ${plain(p.name)} --> ${plain(name)}`)
  }
  return [...lines, '```'].join('\n')
}
