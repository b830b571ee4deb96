import { statfs } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import { type AnyPlugin, ENGINE, type Engine, type HostArray, fileName, isAttuneError } from '@attune/core'
import { type SearchPaths, findInstalled, installedPlugins } from '@attune/resolve'
import { type Tensor2D, matMul, sum } from '@tensorflow/tfjs-core'
import { table } from '@attune/terminal'
import { Command } from 'commander'
import { optionRows } from '../option-rows.js'
import { searchPathsFrom } from '../search-paths.js'

const NEEDED = [20, 19] as const
const SMALL = 256
const LARGE = 1024
const SLOW_GIGAFLOPS = 10
const MEASURED_MILLISECONDS = 1000

/** Result of one engine on one of its devices. */
export interface EngineReport {
  readonly name: string
  /** Value of its option `device`; absent if it has none. */
  readonly device?: string
  readonly usable: boolean
  /** Description of the device, or the reason why it cannot be used and the remedy. */
  readonly about: string
  /** Measured rate of matrix multiplication, in GFLOP/s. */
  readonly gigaflops?: number
}

/** Rate of multiplying `size` × `size` matrices over some time, in GFLOP/s. */
async function rateOf(engine: Engine, size: number, milliseconds: number): Promise<number> {
  const matrix = (seed: number): HostArray => ({
    shape: [size, size],
    dtype: 'float32',
    values: Float32Array.from({ length: size * size }, (_, i) => Math.sin(i * seed)),
  })
  const inputs = engine.put({ a: matrix(1), b: matrix(2) }) as { a: Tensor2D; b: Tensor2D }
  // The sum keeps the transfer of the product to the host out of the measurement.
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

/** Rate of matrix multiplication over about a second; with large matrices, unless one product would take seconds. */
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

/** Devices that an engine's option offers, the default first; `auto` is not one of them. */
function devicesOf({ options }: AnyPlugin): readonly (string | undefined)[] {
  const option = optionRows(options).find(({ name }) => name === 'device')
  if (option === undefined) return [undefined]
  const devices = option.type.split(' | ').filter((device) => device !== 'auto')
  return devices.sort(
    (a, b) => Number(JSON.stringify(b) === option.default) - Number(JSON.stringify(a) === option.default),
  )
}

/** Tests an engine on each of its devices. */
async function tryEngine(name: string, searchPaths: SearchPaths): Promise<readonly EngineReport[]> {
  let plugin: AnyPlugin
  try {
    plugin = (await findInstalled(ENGINE, fileName(name), searchPaths)).plugin
  } catch (error) {
    return [{ name, usable: false, about: isAttuneError(error) ? `${error.problem}. ${error.remedy}` : String(error) }]
  }
  const reports: EngineReport[] = []
  for (const device of devicesOf(plugin)) reports.push(await tryDevice(plugin, device))
  return reports
}

/** Resources of the machine, and the results of each installed engine on each of its devices, tested in turn. */
export async function examine(searchPaths: SearchPaths) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const disk = await statfs(process.cwd())
  const engines: EngineReport[] = []
  const installed = installedPlugins(searchPaths.folders).filter(({ kind }) => kind === ENGINE.name)
  for (const { name } of installed.sort((a, b) => (b.preference ?? 0) - (a.preference ?? 0)))
    engines.push(...(await tryEngine(name, searchPaths)))
  return {
    node: process.versions.node,
    nodeIsEnough: major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]),
    cpu: cpus()[0]?.model ?? 'unknown',
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
    `CPU         ${found.cpu}, ${found.cores} cores`,
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
    .summary('check the machine and its engines')
    .description(
      'Reports the resources of this machine, which engines work on which of its devices, and how fast each multiplies matrices.',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx attune doctor')
    .action(async (flags: { json?: boolean }) => {
      const found = await examine(searchPathsFrom())
      process.stdout.write(`${flags.json === true ? JSON.stringify(found) : doctorText(found)}\n`)
    })
