const metadata = ['result.json', 'result.txt'].map((name) => ({ name, description: '' }))

/** What `--call` may ask for: github.com/moby/buildkit/frontend/subrequests, Request */
export const describeRequests = [
  {
    name: 'frontend.lint',
    version: '1.0.0',
    type: 'rpc',
    description: 'Lint a Dockerfile',
    opts: [],
    inputs: null,
    metadata: [...metadata, { name: 'result.statuscode', description: '' }],
    refs: null,
  },
  {
    name: 'frontend.outline',
    version: '1.0.0',
    type: 'rpc',
    description: 'List all parameters current build target supports',
    opts: [{ name: 'target', description: 'Target build stage' }],
    inputs: null,
    metadata,
    refs: null,
  },
  {
    name: 'frontend.targets',
    version: '1.0.0',
    type: 'rpc',
    description: 'List all targets current build supports',
    opts: [],
    inputs: null,
    metadata,
    refs: null,
  },
  {
    name: 'frontend.subrequests.describe',
    version: '1.0.0',
    type: 'rpc',
    description: 'List available subrequest types',
    opts: null,
    inputs: null,
    metadata,
    refs: null,
  },
]
