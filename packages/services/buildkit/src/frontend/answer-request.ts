import type { MessageInitShape } from '@bufbuild/protobuf'
import type { GatewaySolveResponseSchema as SolveResponseSchema } from '@berth/buildkit-protocol'
import { unknownRequest } from './build-error.ts'
import type { FrontendRequest } from './decode-attributes.ts'
import { checkBuild, lintDocument } from './checks.ts'
import { describeRequests } from './describe-requests.ts'
import { listTargets, type TargetList } from './list-targets.ts'
import { type Outline, outlineOf } from './outline.ts'
import { type FrontendContext, withDefinition } from './run-frontend.ts'

type Response = MessageInitShape<typeof SolveResponseSchema>

/** Answers what a client wants to know of a Dockerfile instead of building it: `--call`. */
export async function answerRequest(context: FrontendContext, request: FrontendRequest): Promise<Response> {
  switch (request.requestId) {
    case 'frontend.targets':
      return await withDefinition(context, request, async ({ definition }) => {
        const targets = listTargets(definition.dockerfile)
        return answer(targets, targetsText(targets))
      })
    case 'frontend.outline':
      return await withDefinition(context, request, async ({ request: build }) => {
        const outline = outlineOf(build)
        return answer(outline, outlineText(outline))
      })
    case 'frontend.lint':
      return await withDefinition(context, request, async (loaded) => {
        const report = await checkBuild(context.images, loaded)
        const isClean = report.warnings.length === 0 && !report.failure
        const text = report.warnings.map(({ name, detail }) => row([name, detail])).join('')
        return answer(lintDocument(report, loaded.source), text, { 'result.statuscode': isClean ? '0' : '1' })
      })
    case 'frontend.subrequests.describe':
      return answer(
        describeRequests,
        describeRequests
          .map(({ name, description }) => [name, description])
          .map(row)
          .join(''),
      )
    default:
      throw unknownRequest(request.requestId)
  }
}

/** Clients that know the version make a text of the document by themselves. */
const answer = (value: unknown, text: string, more: Readonly<Record<string, string>> = {}): Response => ({
  result: {
    metadata: {
      'result.json': Buffer.from(JSON.stringify(value)),
      'result.txt': Buffer.from(text),
      version: Buffer.from('1.0.0'),
      ...Object.fromEntries(Object.entries(more).map(([name, content]) => [name, Buffer.from(content)])),
    },
  },
})

const row = (words: readonly string[]): string => `${words.join('\t')}\n`

const targetsText = ({ targets }: TargetList): string =>
  targets.map(({ name = '(default)', description = '' }) => row([name, description])).join('')

const outlineText = ({ args = [], secrets = [], ssh = [] }: Outline): string =>
  [
    ...args.map(({ name, value = '', description = '' }) => row(['arg', name, value, description])),
    ...secrets.map(({ name }) => row(['secret', name])),
    ...ssh.map(({ name }) => row(['ssh', name])),
  ].join('')
