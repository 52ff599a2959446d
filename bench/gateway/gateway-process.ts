// The gateway as it is installed: `taximeter serve` itself, with whatever else it does. All that is added is that it tells what it takes.

process.on('message', () =>
  process.send?.({ main: process.threadCpuUsage(), cpu: process.cpuUsage(), rss: process.memoryUsage().rss, mem: process.memoryUsage() }),
)
// Whoever started it is gone.
process.on('disconnect', () => process.exit(0))
// Asked to stop, it ends as it would without a bench.
process.channel?.unref()

await import('../../src/cli/main.ts')
