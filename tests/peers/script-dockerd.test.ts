import { before, describe } from 'node:test'
import { useEngine } from '@berth/testing'
import { compareScripts, prepareSpeaker, scriptFiles, type Speaker } from './compare-script.ts'

/**
 * Docker's command line on a real dockerd, and ours on berthd. BERTH_PEER_HOST names a dockerd that holds nothing: some
 * lines list everything, and some prune. It has made its docker0 itself: with one that it finds
 * it refuses static addresses in other words.
 */
const host = process.env['BERTH_PEER_HOST'] ?? ''
const skip = host === '' ? 'BERTH_PEER_HOST names no dockerd' : false

describe('docker on dockerd, berth on berthd', { skip }, () => {
  const images = ['busybox', 'hello-world'] as const
  const docker: Speaker = { program: 'docker', engine: useEngine({ images, host }), suffix: 'da', subnet: '10.231.1' }
  const berth: Speaker = { program: 'berth', engine: useEngine({ images }), suffix: 'be', subnet: '10.231.2' }

  before(() => {
    prepareSpeaker(docker)
    prepareSpeaker(berth)
  })

  compareScripts(scriptFiles, docker, berth)
})
