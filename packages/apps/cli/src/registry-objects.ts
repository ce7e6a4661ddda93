import { alias, type Entry } from './registry-entry.ts'

/** The groups of commands that share no command with another: volumes, networks, contexts. */

const networkList: Entry = { summary: 'List networks', load: () => import('./commands/network/ls.ts') }
const networkRemove: Entry = {
  summary: 'Remove one or more networks',
  load: () => import('./commands/network/rm.ts'),
}
const volumeList: Entry = { summary: 'List volumes', load: () => import('./commands/volume/ls.ts') }
const volumeRemove: Entry = { summary: 'Remove one or more volumes', load: () => import('./commands/volume/rm.ts') }
export const volume: Entry = {
  summary: 'Manage volumes',
  usage: 'COMMAND',
  children: {
    create: { summary: 'Create a volume', load: () => import('./commands/volume/create.ts') },
    inspect: {
      summary: 'Display detailed information on one or more volumes',
      load: () => import('./commands/volume/inspect.ts'),
    },
    list: alias(volumeList),
    ls: volumeList,
    prune: { summary: 'Remove unused local volumes', load: () => import('./commands/volume/prune.ts') },
    remove: alias(volumeRemove),
    rm: volumeRemove,
    // Docker shows it in a swarm only.
    update: alias({
      summary: 'Update a volume (cluster volumes only)',
      load: () => import('./commands/volume/update.ts'),
    }),
  },
}
export const network: Entry = {
  summary: 'Manage networks',
  children: {
    connect: {
      summary: 'Connect a container to a network',
      load: () => import('./commands/network/connect.ts'),
    },
    create: { summary: 'Create a network', load: () => import('./commands/network/create.ts') },
    disconnect: {
      summary: 'Disconnect a container from a network',
      load: () => import('./commands/network/disconnect.ts'),
    },
    inspect: {
      summary: 'Display detailed information on one or more networks',
      load: () => import('./commands/network/inspect.ts'),
    },
    list: alias(networkList),
    ls: networkList,
    prune: { summary: 'Remove all unused networks', load: () => import('./commands/network/prune.ts') },
    remove: alias(networkRemove),
    rm: networkRemove,
  },
}

const contextList: Entry = { summary: 'List contexts', load: () => import('./commands/context/ls.ts') }
const contextRemove: Entry = {
  summary: 'Remove one or more contexts',
  load: () => import('./commands/context/rm.ts'),
}
export const context: Entry = {
  summary: 'Manage contexts',
  children: {
    create: { summary: 'Create a context', load: () => import('./commands/context/create.ts') },
    export: {
      summary: 'Export a context to a tar archive FILE or a tar stream on STDOUT.',
      load: () => import('./commands/context/export.ts'),
    },
    import: { summary: 'Import a context from a tar file', load: () => import('./commands/context/import.ts') },
    inspect: {
      summary: 'Display detailed information on one or more contexts',
      load: () => import('./commands/context/inspect.ts'),
    },
    list: alias(contextList),
    ls: contextList,
    remove: alias(contextRemove),
    rm: contextRemove,
    show: { summary: 'Print the name of the current context', load: () => import('./commands/context/show.ts') },
    update: { summary: 'Update a context', load: () => import('./commands/context/update.ts') },
    use: { summary: 'Set the current docker context', load: () => import('./commands/context/use.ts') },
  },
}
