import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerSummary, ImageSummary, NetworkResponse, VolumeResponse } from '@berth/engine-api'
import { drawTree } from '../output/tree.ts'
import { containerTreeNodes, planContainerTree } from './container-tree.ts'
import { planUsageMap, usageMapNodes } from './usage-map.ts'

const web = {
  Id: 'a'.repeat(64),
  Names: ['/other/alias', '/web'],
  Image: 'nginx',
  ImageID: 'sha256:1',
  State: 'running',
  Status: 'Up 5 minutes',
  Ports: [{ IP: '127.0.0.1', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
  NetworkSettings: { Networks: { front: { NetworkID: 'n1', IPAddress: '10.0.0.2' } } },
  Mounts: [
    { Type: 'volume', Name: 'data', Source: '/x', Destination: '/data' },
    { Type: 'bind', Source: '/etc', Destination: '/host' },
  ],
} as unknown as ContainerSummary
const job = {
  Id: 'b'.repeat(64),
  Names: ['/job'],
  Image: 'busybox',
  ImageID: 'sha256:2',
  State: 'created',
  Status: '',
  Ports: [],
  NetworkSettings: { Networks: {} },
  Mounts: [],
} as unknown as ContainerSummary

test('planContainerTree() hangs containers below their images, with what they use', () => {
  const expected = `busybox
└─ job  Created
nginx
└─ web  Up 5 minutes  127.0.0.1:8080->80/tcp
   ├─ network front  10.0.0.2
   ├─ volume data -> /data
   └─ bind /etc -> /host
`
  assert.equal(drawTree(containerTreeNodes(planContainerTree([web, job]))), expected)
})

test('planUsageMap() names the users of each image, volume and network, and what is unused', () => {
  const map = planUsageMap({
    containers: [web, job],
    images: [
      { Id: 'sha256:1', RepoTags: ['nginx:latest'] },
      { Id: 'sha256:3', RepoTags: null },
    ] as unknown as ImageSummary[],
    volumes: [{ Name: 'data' }, { Name: 'old' }] as VolumeResponse[],
    networks: [{ Name: 'front', Id: 'n1' }] as NetworkResponse[],
  })
  const expected = `Images (2, 1 unused)
├─ <none>  unused
└─ nginx:latest
   └─ web  running
Volumes (2, 1 unused)
├─ data
│  └─ web  running
└─ old  unused
Networks (1, 0 unused)
└─ front
   └─ web  running
`
  assert.equal(drawTree(usageMapNodes(map)), expected)
})
