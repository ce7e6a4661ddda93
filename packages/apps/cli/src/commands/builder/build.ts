import { defineCommand, exactly } from '../../command.ts'
import type { Cli } from '../../cli.ts'
import { buildFlags, buildkitOnly, type BuildFlags, classicOnly } from './build-flags.ts'

export const command = defineCommand({
  usage: '[OPTIONS] PATH | URL | -',
  summary: 'Build an image from a Dockerfile',
  aliases: ['image build', 'build', 'builder build', 'buildx build'],
  count: exactly(1),
  flags: buildFlags,
  async run(cli, { args, flags: given, changed }) {
    refuseForeign(given)
    const named = (keys: readonly (keyof BuildFlags)[]): string[] =>
      keys.filter((key) => changed(key)).map((key) => `--${buildFlags[key].name}`)
    const where = args[0] ?? ''
    if (isClassic(cli, named(classicOnly), named(buildkitOnly))) {
      const { buildClassic } = await import('./classic-build.ts')
      return await buildClassic(cli, where, given)
    }
    const { buildWithBuildkit } = await import('./buildkit-build.ts')
    return await buildWithBuildkit(cli, where, given)
  },
})

function refuseForeign(given: BuildFlags): void {
  if (!given.disableContentTrust)
    throw new Error('--disable-content-trust=false: content trust (Notary) is not supported')
  if (given.isolation !== '') throw new Error('--isolation: only Windows has it')
}

/** What only the classic builder does leads there; throws where the other one is needed as well. */
function isClassic({ env }: Cli, classic: readonly string[], buildkit: readonly string[]): boolean {
  const asked = env['DOCKER_BUILDKIT'] === '0'
  const [first] = classic
  if (!asked && first === undefined) return false
  const [other] = buildkit
  if (other === undefined) return true
  throw new Error(
    asked
      ? `${other} needs BuildKit, and DOCKER_BUILDKIT=0 asks for the classic builder`
      : `${first} is of the classic builder, ${other} of BuildKit: they cannot be combined`,
  )
}
