import { statfs } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import { ENGINE, type Engine, type HostArray, findPlugin, installedPlugins, isAttuneError } from '@attune/core'
import { type Tensor, matMul } from '@tensorflow/tfjs-core'
import { table } from '@attune/text'
import { Command } from 'commander'
import { placesFrom } from '../places.js'

const NEEDED = [20, 19] as const
const SIZE = 512
const MEASURED_MILLISECONDS = 1000

/** How one engine fared. */
export interface EngineReport {
  readonly name: string
  readonly usable: boolean
  /** The device in words, or why it cannot be used and what to do. */
  readonly about: string
  /** Measured rate of products of 512 × 512 matrices, in 10⁹ operations a second. */
  readonly gigaflops?: number
}

/** Multiplies matrices for about a second. */
async function measure(engine: Engine): Promise<number> {
  const matrix = (seed: number): HostArray => ({
    shape: [SIZE, SIZE],
    dtype: 'float32',
    values: Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i * seed)),
  })
  const inputs = engine.put({ a: matrix(1), b: matrix(2) })
  const product = engine.compile((given: { a: Tensor; b: Tensor }) => matMul(given.a as never, given.b as never))
  const once = async (): Promise<void> => {
    const result = product(inputs)
    await engine.read(result)
    engine.release(result)
  }
  await once()
  const begun = performance.now()
  let count = 0
  while (performance.now() - begun < MEASURED_MILLISECONDS) {
    await once()
    count++
  }
  const seconds = (performance.now() - begun) / 1000
  engine.release(inputs)
  product.dispose()
  return (2 * SIZE ** 3 * count) / seconds / 1e9
}

async function tryEngine(name: string, folders: readonly string[]): Promise<EngineReport> {
  let engine: Engine | undefined
  try {
    engine = (await findPlugin(ENGINE, name, { folders }))() as Engine
    await engine.start()
    return { name, usable: true, about: engine.device, gigaflops: await measure(engine) }
  } catch (error) {
    const about = isAttuneError(error) ? `${error.problem} ${error.remedy}` : String(error)
    return { name, usable: false, about }
  } finally {
    await engine?.close()
  }
}

/** What the machine has, and how each installed engine fares on it, tried one after the other. */
export async function examine(folders: readonly string[]) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const disk = await statfs(process.cwd())
  const engines: EngineReport[] = []
  for (const { name } of installedPlugins(folders).filter(({ kind }) => kind === 'engine'))
    engines.push(await tryEngine(name, folders))
  return {
    node: process.versions.node,
    nodeIsEnough: major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    freeDiskBytes: disk.bavail * disk.bsize,
    engines,
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

function doctorText(found: Awaited<ReturnType<typeof examine>>): string {
  const rows = found.engines.map(({ name, usable, about, gigaflops }) => [
    name,
    usable ? 'usable' : 'not usable',
    gigaflops === undefined ? '' : gigaflops.toFixed(1),
    about,
  ])
  return [
    `Node        ${found.node}${found.nodeIsEnough ? '' : `, too old: at least ${NEEDED.join('.')} is needed`}`,
    `Processor   ${found.processor}, ${found.cores} cores`,
    `Memory      ${gigabytes(found.memoryBytes)}, of which ${gigabytes(found.freeMemoryBytes)} free`,
    `Disk        ${gigabytes(found.freeDiskBytes)} free here`,
    '',
    rows.length === 0
      ? 'No engine is installed. For example: npm install @attune/engine-tfjs-wasm'
      : table(['engine', '', 'GFLOP/s', 'device, or why not'], rows).join('\n'),
  ].join('\n')
}

/** `attune doctor` */
export const doctorCommand = (): Command =>
  new Command('doctor')
    .summary('see what this machine can do')
    .description('Tells what this machine has, which engines work on it and how fast each multiplies matrices.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  attune doctor')
    .action(async (flags: { json?: boolean }) => {
      const found = await examine(placesFrom().folders)
      process.stdout.write(`${flags.json === true ? JSON.stringify(found) : doctorText(found)}\n`)
    })
