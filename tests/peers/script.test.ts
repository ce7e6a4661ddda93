import { before } from 'node:test'
import { useEngine } from '@berth/testing'
import { compareScripts, prepareSpeaker, scriptFiles, type Speaker } from './compare-script.ts'

/** Docker's command line and ours, against one engine. */
const engine = useEngine({ images: ['busybox', 'hello-world'] })
const docker: Speaker = { program: 'docker', engine, suffix: 'da', subnet: '10.231.1' }
const berth: Speaker = { program: 'berth', engine, suffix: 'be', subnet: '10.231.2' }

before(() => {
  prepareSpeaker(docker)
  prepareSpeaker(berth)
})

compareScripts(scriptFiles, docker, berth)
