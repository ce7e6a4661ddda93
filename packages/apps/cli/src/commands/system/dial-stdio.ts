import { noArguments, defineCommand } from '../../command.ts'

export const command = defineCommand({
  usage: '',
  summary: 'Join standard input and output to the engine (what ssh:// hosts run on the far side)',
  count: noArguments,
  flags: {},
  async run(cli) {
    const connection = await cli.engine.transport.dial()
    const { stdin } = process
    const sending = (async () => {
      for await (const chunk of stdin as AsyncIterable<Buffer>) await connection.write(chunk)
      connection.closeWrite()
    })()
    // The engine may hang up first: then nobody wants the rest of the input.
    sending.catch(() => undefined)
    for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) cli.out(chunk)
    connection.destroy()
    stdin.destroy()
  },
})
