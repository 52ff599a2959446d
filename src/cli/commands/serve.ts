import { once } from 'node:events'
import { Command } from 'commander'
import { sentenceOf } from '../../core/errors.ts'
import { type ConfigOptions, configOf, type Io } from '../io.ts'
import { listen } from '../listen.ts'
import { createLog } from '../log.ts'
import { wire } from '../wire.ts'
import { holdYoungGeneration } from '../young-generation.ts'

/** `taximeter serve`, the default: the ledger, the API, the dashboard, the gateway and /metrics in one process. */
export const serveCommand = (io: Io): Command =>
  new Command('serve')
    .description('keep the ledger and answer: API, dashboard, gateway, /metrics (the default)')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on')
    .option('--config <file>', 'configuration file')
    .option('--data <file>', "the ledger's file")
    .action(async (options: ConfigOptions & { readonly host?: string; readonly port?: string }) => {
      const environment = {
        ...io.environment,
        ...(options.host !== undefined && { TAXIMETER_HOST: options.host }),
        ...(options.port !== undefined && { TAXIMETER_PORT: options.port }),
      }
      const read = () => configOf({ ...io, environment }, options)
      const loaded = read()
      const { config } = loaded
      const log = createLog(config.logLevel, io.err)
      const wired = await wire(loaded, { log, now: io.now, read })
      const listening = await listen(wired.server, { host: config.host, port: config.port, hasKeys: config.keys.length > 0 }).catch(
        async (error: unknown) => {
          await wired.close()
          throw error
        },
      )
      io.out(banner(listening.url, config.data))
      holdYoungGeneration()
      // Async, so that a file that cannot be read is a rejection too and does not end the program.
      const again = async () => wired.reload(read())
      const stopListening = io.onReload(() => {
        again().then(
          () => log.info('the configuration was read again'),
          (error: unknown) => log.error(sentenceOf(error)),
        )
      })
      if (!io.stop.aborted) await once(io.stop, 'abort')
      stopListening()
      await listening.close()
      await wired.close()
    })

const banner = (url: string, data: string): string => `taximeter listens on ${url} and keeps ${data}

  dashboard   ${url}/
  TypeScript  new TokenTracker({ url: '${url}' })
  any other   set the client's base URL to ${url}/openai/v1 (or /anthropic, /gemini, /ollama …)
  Prometheus  ${url}/metrics

Ctrl-C stops it.
`
