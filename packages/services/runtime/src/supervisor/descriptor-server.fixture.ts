// A process with nothing but the store of descriptors, for tests that kill it.
import { DescriptorServer } from './descriptor-server.ts'

new DescriptorServer().listen(`${process.argv[2]}/descriptors.sock`)
process.send?.('ready')
