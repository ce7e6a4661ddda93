/** What a client may use of `LLBBridge`. */
const frontend = [
  'solve.base',
  'return',
  'returnmap',
  'proto.refarray',
  'reference.output',
  'readfile',
  'readdir',
  'statfile',
  'frontend.inputs',
  'frontend.caps',
  'importcaches',
  'gateway.solve.metadata',
  'gateway.evaluate',
  'gateway.solve.evaluate',
]

/** What a client may put into a graph, or ask of the engine otherwise. */
const llb = [
  'source.image',
  'source.local',
  'source.local.sessionid',
  'source.local.includepatterns',
  'source.local.excludepatterns',
  'source.local.followpaths',
  'file.base',
  'exporter.multiple',
  'exporter.image.attestations',
  'gc.freespacefilter',
  'history.filter',
  'platform',
  'constraints',
  'meta.description',
]

const enabled = (ids: readonly string[]) => ids.map((id) => ({ id, enabled: true }))

export const frontendCapabilities = enabled(frontend)
export const llbCapabilities = enabled(llb)
