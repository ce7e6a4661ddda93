import type { Stage } from '@berth/dockerfile'
import { formatPlatform, normalizePlatform, parsePlatform, type Platform } from '@berth/oci'
import type { StepLabels } from './number-steps.ts'

const targetArgs = new Set(['TARGETPLATFORM', 'TARGETOS', 'TARGETARCH', 'TARGETVARIANT'])

/** How BuildKit names steps of a build for several platforms: `linux/amd64 `, and `linux/amd64->arm64 ` where one builds for another. */
export const platformPrefix =
  (target: Platform): StepLabels['prefixOf'] =>
  (stage, instruction) => {
    const own = normalizePlatform(platformOf(stage, target))
    const arrow =
      instruction !== 'from' && knowsTarget(stage, instruction) ? arrowTo(own, normalizePlatform(target)) : ''
    return `${formatPlatform(own)}${arrow} `
  }

/** A stage is of the platform of what it stands on. */
function platformOf({ from, parent }: Stage, target: Platform): Platform {
  if (from.platform !== '') return parsePlatform(from.platform)
  return parent ? platformOf(parent, target) : target
}

/** What is done before its ARG is the same for every target. */
const knowsTarget = ({ instructions }: Stage, before: number): boolean =>
  instructions.slice(0, before).some((one) => one.kind === 'arg' && one.args.some(({ name }) => targetArgs.has(name)))

function arrowTo(own: Platform, target: Platform): string {
  if (formatPlatform(own) === formatPlatform(target)) return ''
  if (own.os !== target.os) return `->${formatPlatform(target)}`
  const { architecture, variant } = target
  if (own.architecture === architecture) return `->${variant ?? ''}`
  return `->${[architecture, variant].filter(Boolean).join('/')}`
}
