/**
 * The files of `modules` and of all that they need, each after what it needs, by the text of a kernel's modules.dep
 * (modules.dep(5): `FILE: NEEDED...`, the nearest first).
 */
export function moduleOrder(dependencies: string, modules: readonly string[]): string[] {
  const needs = new Map(dependencies.split('\n').map(parseLine))
  const order = modules.flatMap((module) => {
    const file = [...needs.keys()].find((path) => new RegExp(`(^|/)${module}\\.ko`).test(path))
    if (file === undefined) throw new Error(`the kernel has no module ${module}`)
    return [...needs.get(file)!.toReversed(), file]
  })
  return [...new Set(order)]
}

function parseLine(line: string): [string, string[]] {
  const [file = '', needed = ''] = line.split(':')
  return [file, needed.split(' ').filter(Boolean)]
}
