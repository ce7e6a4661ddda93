import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SolveResponseSchema } from '../../generated/gateway_pb.ts'
import { unknownRequest } from './build-error.ts'
import type { FrontendRequest } from './decode-attributes.ts'
import { listTargets, type TargetList } from './list-targets.ts'
import { type FrontendContext, withDefinition } from './run-frontend.ts'

type Response = MessageInitShape<typeof SolveResponseSchema>

/** Answers what a client wants to know of a Dockerfile instead of building it: `--call`. */
export async function answerRequest(context: FrontendContext, request: FrontendRequest): Promise<Response> {
  switch (request.requestId) {
    case 'frontend.targets':
      return await withDefinition(context, request, async ({ definition }) => {
        const targets = listTargets(definition.dockerfile, request.filename)
        return answer(targets, targetsText(targets))
      })
    default:
      throw unknownRequest(request.requestId)
  }
}

const answer = (value: unknown, text: string): Response => ({
  result: {
    metadata: {
      'result.json': Buffer.from(JSON.stringify(value)),
      'result.txt': Buffer.from(text),
      version: Buffer.from('1.0.0'),
    },
  },
})

/** As BuildKit's own table has it. */
function targetsText({ targets }: TargetList): string {
  const rows = targets.map(({ name = '(default)', default: isDefault, description = '' }) => [
    name + (isDefault && name !== '(default)' ? ' (default)' : ''),
    description,
  ])
  const width = Math.max('TARGET'.length, ...rows.map(([name = '']) => name.length)) + 4
  return [['TARGET', 'DESCRIPTION'], ...rows].map(([name = '', text = '']) => `${name.padEnd(width)}${text}\n`).join('')
}
