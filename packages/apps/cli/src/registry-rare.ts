import type { Entry } from './registry-entry.ts'

/** Commands that few use, kept out of the way of those that many do. */

const pluginList: Entry = { summary: 'List plugins', load: () => import('./commands/plugin/ls.ts') }
const pluginRemove: Entry = {
  summary: 'Remove one or more plugins',
  load: async () => ({ command: (await import('./commands/plugin/switch.ts')).remove }),
}
export const plugin: Entry = {
  summary: 'Manage plugins',
  children: {
    create: {
      summary: 'Create a plugin from a rootfs and configuration. The directory must have config.json and rootfs.',
      load: () => import('./commands/plugin/create.ts'),
    },
    disable: {
      summary: 'Disable a plugin',
      load: async () => ({ command: (await import('./commands/plugin/switch.ts')).disable }),
    },
    enable: {
      summary: 'Enable a plugin',
      load: async () => ({ command: (await import('./commands/plugin/switch.ts')).enable }),
    },
    inspect: {
      summary: 'Display detailed information on one or more plugins',
      load: () => import('./commands/plugin/inspect.ts'),
    },
    install: {
      summary: 'Install a plugin',
      load: async () => ({ command: (await import('./commands/plugin/install.ts')).install }),
    },
    list: { ...pluginList, alias: true },
    ls: pluginList,
    push: {
      summary: 'Push a plugin to a registry',
      load: async () => ({ command: (await import('./commands/plugin/install.ts')).push }),
    },
    remove: { ...pluginRemove, alias: true },
    rm: pluginRemove,
    set: {
      summary: 'Change settings for a plugin',
      load: async () => ({ command: (await import('./commands/plugin/switch.ts')).set }),
    },
    upgrade: {
      summary: 'Upgrade an existing plugin',
      load: async () => ({ command: (await import('./commands/plugin/install.ts')).upgrade }),
    },
  },
}

const checkpointList: Entry = {
  summary: 'List checkpoints for a container',
  load: async () => ({ command: (await import('./commands/container/checkpoint.ts')).list }),
}
const checkpointRemove: Entry = {
  summary: 'Remove a checkpoint',
  load: async () => ({ command: (await import('./commands/container/checkpoint.ts')).remove }),
}
export const checkpoint: Entry = {
  summary: 'Manage checkpoints',
  children: {
    create: {
      summary: 'Create a checkpoint from a running container',
      load: async () => ({ command: (await import('./commands/container/checkpoint.ts')).create }),
    },
    list: { ...checkpointList, alias: true },
    ls: checkpointList,
    remove: { ...checkpointRemove, alias: true },
    rm: checkpointRemove,
  },
}

type TrustCommand = 'add' | 'generate' | 'inspect' | 'load' | 'remove' | 'revoke' | 'sign'
const trusted = (summary: string, name: TrustCommand): Entry => ({
  summary,
  load: async () => ({ command: (await import('./commands/trust.ts'))[name] }),
})
export const trust: Entry = {
  summary: 'Manage trust on images (not supported)',
  children: {
    inspect: trusted('Return low-level information about keys and signatures', 'inspect'),
    key: {
      summary: 'Manage keys for signing images',
      children: {
        generate: trusted('Generate and load a signing key-pair', 'generate'),
        load: trusted('Load a private key file for signing', 'load'),
      },
    },
    revoke: trusted('Remove trust for an image', 'revoke'),
    sign: trusted('Sign an image', 'sign'),
    signer: {
      summary: 'Manage entities who can sign images',
      children: { add: trusted('Add a signer', 'add'), remove: trusted('Remove a signer', 'remove') },
    },
  },
}
