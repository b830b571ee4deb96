import { statfs } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import { type AnyPlugin, ENGINE, type Engine, type HostArray, fileName, isAttuneError } from '@attune/core'
import { type SearchPlaces, findInstalled, installedPlugins } from '@attune/resolve'
import { type Tensor2D, matMul, sum } from '@tensorflow/tfjs-core'
import { table } from '@attune/terminal'
import { Command } from 'commander'
import { optionRows } from '../option-rows.js'
import { placesFrom } from '../places.js'

const NEEDED = [20, 19] as const
const SMALL = 256
const LARGE = 1024
const SLOW_GIGAFLOPS = 10
const MEASURED_MILLISECONDS = 1000

/** How one engine fared, on one of the devices that it can be told to compute on. */
export interface EngineReport {
  readonly name: string
  /** What its option `device` was; absent where it has none. */
  readonly device?: string
  readonly usable: boolean
  /** The device in words, or why it cannot be used and what to do. */
  readonly about: string
  /** Measured rate of matrix products, in 10⁹ operations a second. */
  readonly gigaflops?: number
}

/** The rate of products of `size` × `size` matrices over some time, in 10⁹ operations a second. */
async function rateOf(engine: Engine, size: number, milliseconds: number): Promise<number> {
  const matrix = (seed: number): HostArray => ({
    shape: [size, size],
    dtype: 'float32',
    values: Float32Array.from({ length: size * size }, (_, i) => Math.sin(i * seed)),
  })
  const inputs = engine.put({ a: matrix(1), b: matrix(2) }) as { a: Tensor2D; b: Tensor2D }
  // The sum keeps the product's way back to the host out of the measurement.
  const product = engine.compile(({ a, b }: { a: Tensor2D; b: Tensor2D }) => sum(matMul(a, b)))
  const once = async (): Promise<void> => {
    const result = product(inputs)
    await engine.read(result)
    engine.release(result)
  }
  await once()
  const begun = performance.now()
  let count = 0
  for (; performance.now() - begun < milliseconds; count++) await once()
  const seconds = (performance.now() - begun) / 1000
  engine.release(inputs)
  product.dispose()
  return (2 * size ** 3 * count) / seconds / 1e9
}

/** The rate of products for about a second; large ones, unless an engine would take seconds for each. */
async function measure(engine: Engine): Promise<number> {
  const rate = await rateOf(engine, SMALL, 0.2 * MEASURED_MILLISECONDS)
  return rate < SLOW_GIGAFLOPS ? rate : rateOf(engine, LARGE, 0.8 * MEASURED_MILLISECONDS)
}

async function tryDevice(plugin: AnyPlugin, device: string | undefined): Promise<EngineReport> {
  const of = { name: plugin.name, ...(device === undefined ? {} : { device }) }
  let engine: Engine | undefined
  try {
    engine = plugin(device === undefined ? {} : { device }) as Engine
    await engine.start()
    return { ...of, usable: true, about: engine.device, gigaflops: await measure(engine) }
  } catch (error) {
    const about = isAttuneError(error) ? `${error.problem}. ${error.remedy}` : String(error)
    return { ...of, usable: false, about }
  } finally {
    await engine?.close()
  }
}

/** The devices among which an engine lets one choose, the default first; `auto` is none of its own. */
function devicesOf({ options }: AnyPlugin): readonly (string | undefined)[] {
  const option = optionRows(options).find(({ name }) => name === 'device')
  if (option === undefined) return [undefined]
  const devices = option.type.split(' | ').filter((device) => device !== 'auto')
  return devices.sort(
    (a, b) => Number(JSON.stringify(b) === option.default) - Number(JSON.stringify(a) === option.default),
  )
}

/** Tries an engine on each of its devices. */
async function tryEngine(name: string, places: SearchPlaces): Promise<readonly EngineReport[]> {
  let plugin: AnyPlugin
  try {
    plugin = (await findInstalled(ENGINE, fileName(name), places)).plugin
  } catch (error) {
    return [{ name, usable: false, about: isAttuneError(error) ? `${error.problem}. ${error.remedy}` : String(error) }]
  }
  const reports: EngineReport[] = []
  for (const device of devicesOf(plugin)) reports.push(await tryDevice(plugin, device))
  return reports
}

/** What the machine has, and how each installed engine fares on it, on each of its devices, tried one after the other. */
export async function examine(places: SearchPlaces) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const disk = await statfs(process.cwd())
  const engines: EngineReport[] = []
  const installed = installedPlugins(places.folders).filter(({ kind }) => kind === ENGINE.name)
  for (const { name } of installed.sort((a, b) => (b.preference ?? 0) - (a.preference ?? 0)))
    engines.push(...(await tryEngine(name, places)))
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

const AUTO_TAKES =
  '`engine: auto` takes the first of these engines that is usable, on the first of its devices, whatever the rates; others are taken by name: `engine: { use: onnxruntime, device: cuda }`.'

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

function doctorText(found: Awaited<ReturnType<typeof examine>>): string {
  const rows = found.engines.map(({ name, device = '', usable, about, gigaflops }) => [
    name,
    device,
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
      ? 'No engine is installed. For example: npm install @attune/engine-onnxruntime'
      : table(['engine', 'device', '', 'GFLOP/s', 'what computes, or why not'], rows).join('\n'),
    ...(rows.length === 0 ? [] : ['', AUTO_TAKES]),
  ].join('\n')
}

/** `attune doctor` */
export const doctorCommand = (): Command =>
  new Command('doctor')
    .summary('see what this machine can do')
    .description(
      'Tells what this machine has, which engines work on it, on which of their devices, and how fast each multiplies matrices.',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  attune doctor')
    .action(async (flags: { json?: boolean }) => {
      const found = await examine(placesFrom())
      process.stdout.write(`${flags.json === true ? JSON.stringify(found) : doctorText(found)}\n`)
    })
