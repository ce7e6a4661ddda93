import { invalid, ownValue } from '@berth/base'
import type { Config } from './config/config.ts'

/** Why a feature of dockerd's cannot be switched on. */
const refusals: Readonly<Record<string, string>> = {
  'containerd-snapshotter': 'Berth has no containerd; its image store keeps several platforms of an image',
  cdi: 'the Container Device Interface is not supported yet',
}

/** Throws `invalid` naming the feature that is unknown, or refused. */
export function checkFeatures(config: Config): void {
  for (const [name, isOn] of Object.entries(features(config))) {
    if (name === 'buildkit') continue
    const reason = ownValue(refusals, name)
    if (reason === undefined) throw invalid(`unknown feature: ${name}`)
    if (isOn) throw invalid(`feature ${name} is refused: ${reason}`)
  }
}

/** By which of Docker's builders its CLI is to build where nothing else is said: `1` the classic one, `2` BuildKit. */
export const builderVersion = (config: Config): '1' | '2' => (features(config)['buildkit'] === false ? '1' : '2')

const features = (config: Config) => config.get('features', {} as Readonly<Record<string, boolean>>)
