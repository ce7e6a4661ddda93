import type { SearchResultResponse } from '@berth/engine-api'
import { defineCommand, exactly } from '../../command.ts'
import { registryAuthHeader } from '../../credentials/registry-auth.ts'
import { boolean, filter, integer, string } from '../../flags/flag.ts'
import { ellipsis } from '../../output/text.ts'
import { render, type View } from '../../output/view.ts'

export const command = defineCommand({
  usage: '[OPTIONS] TERM',
  summary: 'Search Docker Hub for images',
  count: exactly(1),
  flags: {
    filter: filter('f,filter', 'Filter output based on conditions provided'),
    format: string('format', 'Pretty-print search using a Go template'),
    limit: integer('limit', 'Max number of search results'),
    noTrunc: boolean('no-trunc', "Don't truncate output"),
  },
  async run(cli, { args, flags }) {
    const [term = ''] = args
    if (flags.filter['is-automated']) cli.err(automatedNote)
    const auth = await registryAuthHeader(cli, registryOf(term))
    const limit = flags.limit === 0 ? {} : { limit: flags.limit }
    const results = await cli.engine.registry.search(term, { ...limit, filters: flags.filter, auth })
    const byStars = results.toSorted((a, b) => b.star_count - a.star_count)
    const view = searchView({ truncates: !flags.noTrunc, isJson: /^json$|\{\{\s*json \./.test(flags.format) })
    await render(cli, byStars, view, {
      format: flags.format,
      defaults: ['Name', 'Description', 'StarCount', 'IsOfficial'],
    })
  },
})

const automatedNote =
  'WARNING: the "is-automated" filter is deprecated, and searching for "is-automated=true" will not yield any results in future.\n'

/** `host/term` is searched for on that host. */
function registryOf(term: string): string {
  const slash = term.indexOf('/')
  const first = slash < 0 ? '' : term.slice(0, slash)
  return /[.:]/.test(first) || first === 'localhost' ? first : 'docker.io'
}

const descriptionColumns = 45

/** In JSON, what is so or not is said in words. */
function searchView({ truncates, isJson }: { truncates: boolean; isJson: boolean }): View<SearchResultResponse> {
  const yesOrNo = (value: boolean): string => (isJson ? String(value) : value ? '[OK]' : '')
  const describe = (text: string): string => {
    const line = text.replaceAll(/[\r\n]/g, ' ')
    return truncates ? ellipsis(line, descriptionColumns) : line
  }
  return {
    goType: '*registry.searchContext',
    columns: {
      Name: { header: 'NAME', value: ({ name }) => name },
      Description: { header: 'DESCRIPTION', value: ({ description }) => describe(description) },
      StarCount: { header: 'STARS', value: ({ star_count: stars }) => String(stars) },
      IsOfficial: { header: 'OFFICIAL', value: ({ is_official: official }) => yesOrNo(official) },
    },
  }
}
