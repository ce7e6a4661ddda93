import { alias, type Entry } from './registry-entry.ts'
import { context, network, volume } from './registry-objects.ts'
import { checkpoint, plugin, trust } from './registry-rare.ts'

const attach: Entry = {
  summary: 'Attach local standard input, output, and error streams to a running container',
  load: () => import('./commands/container/attach.ts'),
}
const commit: Entry = {
  summary: "Create a new image from a container's changes",
  load: () => import('./commands/container/commit.ts'),
}
const cp: Entry = {
  summary: 'Copy files/folders between a container and the local filesystem',
  load: () => import('./commands/container/cp.ts'),
}
const create: Entry = { summary: 'Create a new container', load: () => import('./commands/container/create.ts') }
const diff: Entry = {
  summary: "Inspect changes to files or directories on a container's filesystem",
  load: () => import('./commands/container/diff.ts'),
}
const exec: Entry = {
  summary: 'Execute a command in a running container',
  load: () => import('./commands/container/exec.ts'),
}
const exportContainer: Entry = {
  summary: "Export a container's filesystem as a tar archive",
  load: () => import('./commands/container/export.ts'),
}
const kill: Entry = {
  summary: 'Kill one or more running containers',
  load: () => import('./commands/container/kill.ts'),
}
const logs: Entry = { summary: 'Fetch the logs of a container', load: () => import('./commands/container/logs.ts') }
const ps: Entry = { summary: 'List containers', load: () => import('./commands/container/ps.ts') }
const pause: Entry = {
  summary: 'Pause all processes within one or more containers',
  load: () => import('./commands/container/pause.ts'),
}
const port: Entry = {
  summary: 'List port mappings or a specific mapping for the container',
  load: () => import('./commands/container/port.ts'),
}
const rename: Entry = { summary: 'Rename a container', load: () => import('./commands/container/rename.ts') }
const restart: Entry = {
  summary: 'Restart one or more containers',
  load: () => import('./commands/container/restart.ts'),
}
const rm: Entry = { summary: 'Remove one or more containers', load: () => import('./commands/container/rm.ts') }
const run: Entry = {
  summary: 'Create and run a new container from an image',
  load: () => import('./commands/container/run.ts'),
}
const start: Entry = {
  summary: 'Start one or more stopped containers',
  load: () => import('./commands/container/start.ts'),
}
const stats: Entry = {
  summary: 'Display a live stream of container(s) resource usage statistics',
  load: () => import('./commands/container/stats.ts'),
}
const stop: Entry = {
  summary: 'Stop one or more running containers',
  load: () => import('./commands/container/stop.ts'),
}
const top: Entry = {
  summary: 'Display the running processes of a container',
  load: () => import('./commands/container/top.ts'),
}
const unpause: Entry = {
  summary: 'Unpause all processes within one or more containers',
  load: () => import('./commands/container/unpause.ts'),
}
const update: Entry = {
  summary: 'Update configuration of one or more containers',
  load: () => import('./commands/container/update.ts'),
}
const wait: Entry = {
  summary: 'Block until one or more containers stop, then print their exit codes',
  load: () => import('./commands/container/wait.ts'),
}

const build: Entry = {
  summary: 'Build an image from a Dockerfile',
  load: () => import('./commands/builder/build.ts'),
  plugin: 'buildx',
}
const bake: Entry = {
  summary: 'Build from a file',
  load: () => import('./commands/builder/bake.ts'),
  plugin: 'buildx',
}
/** What there is of buildx where the plugin is not. */
const builderCommands: NonNullable<Entry['children']> = {
  bake,
  f: alias(bake),
  build,
  du: { summary: 'Disk usage', load: () => import('./commands/builder/du.ts'), plugin: 'buildx' },
  inspect: {
    summary: 'Inspect current builder instance',
    load: () => import('./commands/builder/inspect.ts'),
    plugin: 'buildx',
  },
  ls: { summary: 'List builder instances', load: () => import('./commands/builder/ls.ts'), plugin: 'buildx' },
  prune: { summary: 'Remove build cache', load: () => import('./commands/builder/prune.ts'), plugin: 'buildx' },
}
const historyCommand = (summary: string, name: 'inspect' | 'list' | 'logs' | 'remove'): Entry => ({
  summary,
  load: async () => ({ command: (await import('./commands/builder/history.ts'))[name] }),
  plugin: 'buildx',
})
/** The same, with what is asked of BuildKit itself. */
const buildxCommands: NonNullable<Entry['children']> = {
  ...builderCommands,
  history: {
    summary: 'Commands to work on build records',
    plugin: 'buildx',
    children: {
      inspect: historyCommand('Inspect a build record', 'inspect'),
      logs: historyCommand('Print the logs of a build record', 'logs'),
      ls: historyCommand('List build records', 'list'),
      rm: historyCommand('Remove build records', 'remove'),
    },
  },
  version: {
    summary: 'Show the version of what builds',
    load: () => import('./commands/builder/version.ts'),
    plugin: 'buildx',
  },
}
const builder: Entry = { summary: 'Manage builds', plugin: 'buildx', children: buildxCommands }
const buildx: Entry = { summary: 'Manage builds with BuildKit', plugin: 'buildx', children: buildxCommands }
const pull: Entry = { summary: 'Download an image from a registry', load: () => import('./commands/image/pull.ts') }
const push: Entry = { summary: 'Upload an image to a registry', load: () => import('./commands/image/push.ts') }
const history: Entry = { summary: 'Show the history of an image', load: () => import('./commands/image/history.ts') }
const importImage: Entry = {
  summary: 'Import the contents from a tarball to create a filesystem image',
  load: () => import('./commands/image/import.ts'),
}
const images: Entry = { summary: 'List images', load: () => import('./commands/image/ls.ts') }
const load: Entry = {
  summary: 'Load an image from a tar archive or STDIN',
  load: () => import('./commands/image/load.ts'),
}
const rmi: Entry = { summary: 'Remove one or more images', load: () => import('./commands/image/rm.ts') }
const save: Entry = {
  summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  load: () => import('./commands/image/save.ts'),
}
const tag: Entry = {
  summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  load: () => import('./commands/image/tag.ts'),
}

const events: Entry = {
  summary: 'Get real time events from the server',
  load: () => import('./commands/system/events.ts'),
}
const info: Entry = { summary: 'Display system-wide information', load: () => import('./commands/system/info.ts') }
const inspect: Entry = {
  summary: 'Return low-level information on Docker objects',
  load: () => import('./commands/system/inspect.ts'),
}
const version: Entry = {
  summary: 'Show the Berth version information',
  load: () => import('./commands/system/version.ts'),
}

const container: Entry = {
  summary: 'Manage containers',
  children: {
    attach,
    commit,
    cp,
    create,
    diff,
    exec,
    export: exportContainer,
    inspect: {
      summary: 'Display detailed information on one or more containers',
      load: () => import('./commands/container/inspect.ts'),
    },
    kill,
    list: alias(ps),
    logs,
    ls: ps,
    pause,
    port,
    prune: { summary: 'Remove all stopped containers', load: () => import('./commands/container/prune.ts') },
    ps: alias(ps),
    remove: alias(rm),
    rename,
    restart,
    rm,
    run,
    start,
    stats,
    stop,
    top,
    unpause,
    update,
    wait,
  },
}

const image: Entry = {
  summary: 'Manage images',
  children: {
    build,
    history,
    import: importImage,
    inspect: {
      summary: 'Display detailed information on one or more images',
      load: () => import('./commands/image/inspect.ts'),
    },
    list: alias(images),
    load,
    ls: images,
    prune: { summary: 'Remove unused images', load: () => import('./commands/image/prune.ts') },
    pull,
    push,
    remove: alias(rmi),
    rm: rmi,
    save,
    tag,
  },
}

const system: Entry = {
  summary: 'Manage Berth',
  children: {
    'dial-stdio': {
      summary: 'Join standard input and output to the engine (what ssh:// hosts run on the far side)',
      load: () => import('./commands/system/dial-stdio.ts'),
      alias: true,
    },
    check: {
      summary: 'Hold images, layers, directories, mounts and namespaces against the records of the engine',
      load: () => import('./commands/system/check.ts'),
    },
    df: { summary: 'Show disk usage', load: () => import('./commands/system/df.ts') },
    events,
    info,
    map: {
      summary: 'Show which containers use which image, volume and network',
      load: () => import('./commands/system/map.ts'),
    },
    prune: { summary: 'Remove unused data', load: () => import('./commands/system/prune.ts') },
  },
}

/** The blocks of the top-level help, in docker's order. */
export const groups: readonly { readonly title: string; readonly commands: Readonly<Record<string, Entry>> }[] = [
  {
    title: 'Common Commands',
    commands: {
      run,
      exec,
      ps,
      build,
      pull,
      push,
      images,
      login: { summary: 'Authenticate to a registry', load: () => import('./commands/registry/login.ts') },
      logout: { summary: 'Log out from a registry', load: () => import('./commands/registry/logout.ts') },
      search: { summary: 'Search Docker Hub for images', load: () => import('./commands/registry/search.ts') },
      version,
      info,
    },
  },
  {
    title: 'Management Commands',
    commands: {
      builder,
      buildx,
      compose: { summary: 'Define and run multi-container applications', plugin: 'compose' },
      checkpoint,
      container,
      context,
      image,
      manifest: {
        summary: 'Manage image manifests and manifest lists',
        usage: 'COMMAND',
        children: {
          annotate: {
            summary: 'Add additional information to a local image manifest',
            load: () => import('./commands/manifest/annotate.ts'),
          },
          create: {
            summary: 'Create a local manifest list for annotating and pushing to a registry',
            load: () => import('./commands/manifest/create.ts'),
          },
          inspect: {
            summary: 'Display an image manifest, or manifest list',
            load: () => import('./commands/manifest/inspect.ts'),
          },
          push: { summary: 'Push a manifest list to a repository', load: () => import('./commands/manifest/push.ts') },
          rm: {
            summary: 'Delete one or more manifest lists from local storage',
            load: () => import('./commands/manifest/rm.ts'),
          },
        },
      },
      network,
      plugin,
      registry: {
        summary: 'Serve images',
        children: {
          serve: { summary: 'Run a registry of images', load: () => import('./commands/registry/serve.ts') },
        },
      },
      system,
      trust,
      volume,
    },
  },
  {
    title: 'Commands',
    commands: {
      attach,
      __complete: {
        summary: 'Complete the last word of a command line',
        load: () => import('./commands/system/complete.ts'),
        alias: true,
      },
      commit,
      completion: {
        summary: 'Print the completion script for a shell',
        load: () => import('./commands/system/completion.ts'),
      },
      cp,
      create,
      daemon: { summary: 'Run the Berth daemon', load: () => import('./commands/system/daemon.ts') },
      diff,
      doctor: {
        summary: 'Check the host and the engine, and say how to mend what is wrong',
        load: () => import('./commands/system/doctor.ts'),
      },
      events,
      export: exportContainer,
      history,
      import: importImage,
      inspect,
      kill,
      load,
      logs,
      pause,
      port,
      rename,
      restart,
      rm,
      rmi,
      save,
      start,
      stats,
      stop,
      tag,
      top,
      unpause,
      update,
      wait,
    },
  },
]

export interface Found {
  readonly entry: Entry
  readonly path: readonly string[]
  readonly rest: readonly string[]
}

/** The deepest entry that the words lead to; undefined when the first names nothing. */
export function findCommand(words: readonly string[]): Found | undefined {
  const [first, ...rest] = words
  const top = groups.map((group) => own(group.commands, first ?? '')).find((entry) => entry !== undefined)
  if (top === undefined || first === undefined) return undefined
  return descend({ entry: top, path: [first], rest })
}

function descend(found: Found): Found {
  const [word, ...rest] = found.rest
  const child = word === undefined ? undefined : own(found.entry.children ?? {}, word)
  if (child === undefined || word === undefined) return found
  return descend({ entry: child, path: [...found.path, listedName(found.entry.children ?? {}, word)], rest })
}

/** The name in the lists of the command that has this name too: usage and help speak of that one. */
function listedName(entries: Readonly<Record<string, Entry>>, name: string): string {
  const entry = entries[name]
  if (entry?.alias !== true) return name
  const listed = Object.entries(entries).find(([, other]) => other.alias !== true && other.load === entry.load)
  return listed?.[0] ?? name
}

function own(entries: Readonly<Record<string, Entry>>, name: string): Entry | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined
}
