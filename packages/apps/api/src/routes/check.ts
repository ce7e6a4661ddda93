import { boolParameter } from '@berth/engine-api'
import type { ApiDeps } from '../deps.ts'
import type { Exchange } from '../exchange.ts'
import { sendJson } from '../respond.ts'
import type { Route } from '../router.ts'

/** Berth's own: `POST /berth/check[?repair=1]` answers with what is not as the records have it. */
export function checkRoutes({ check }: Pick<ApiDeps, 'check'>): Route[] {
  return [{ method: 'POST', path: '/berth/check', handler: (exchange) => run(exchange, check) }]
}

async function run(exchange: Exchange, check: ApiDeps['check']): Promise<void> {
  const repair = boolParameter(exchange.query, 'repair')
  const findings = await check({ repair, signal: exchange.signal })
  const shown = findings.map(({ kind, subject, message, remedy = '', isRepaired }) => ({
    Kind: kind,
    Subject: subject,
    Message: message,
    Remedy: remedy,
    Repaired: isRepaired,
  }))
  sendJson(exchange, { Findings: shown })
}
