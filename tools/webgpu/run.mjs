// @ts-check
/**
 * Runs the tests of the engines that compute through WebGPU on a machine without a GPU: on SwiftShader, Vulkan in software,
 * which Debian's package chromium-common has inside. Nothing is installed on the machine. See README.md.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

const HELP = `Usage: node tools/webgpu/run.mjs

Brings SwiftShader (Debian's chromium-common, 32 MB) and the npm package webgpu (130 MB) into tools/webgpu/dist, unless they are
there, and runs the tests of engine-tfjs-webgpu, and those of engine-onnxruntime with its device webgpu. Needs Linux on x64,
apt-get, dpkg and npm, but no root.`

const WEBGPU = '0.6.2'

const root = join(import.meta.dirname, '../..')
const dist = join(import.meta.dirname, 'dist')
const chromium = join(dist, 'chromium/usr/lib/chromium')
const webgpu = join(dist, 'webgpu')

/** What was asked for cannot be done, for a reason that the person who asked can do something about. */
class Unable extends Error {}

/** @param {string} program @param {string[]} args @param {string} otherwise what to say when it fails */
function run(program, args, otherwise) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: dist, encoding: 'utf8' })
  if (status !== 0) throw new Unable(`${otherwise}\n\n$ ${program} ${args.join(' ')}\n${error?.message ?? stderr}`)
  return stdout
}

/** The driver, out of Debian's package. */
function fetchDriver() {
  if (existsSync(join(chromium, 'libvk_swiftshader.so'))) return
  run('apt-get', ['download', 'chromium-common'], 'apt-get does not know chromium-common: try `apt-get update` first.')
  const file = readdirSync(dist).find((name) => name.startsWith('chromium-common')) ?? ''
  run('dpkg', ['-x', file, 'chromium'], 'The package cannot be unpacked.')
  rmSync(join(dist, file))
}

/** The WebGPU of Node. */
function fetchWebgpu() {
  if (existsSync(join(webgpu, 'package.json'))) return
  mkdirSync(webgpu, { recursive: true })
  const file = run(
    'npm',
    ['pack', '--silent', `webgpu@${WEBGPU}`],
    'npm cannot fetch webgpu. Is its registry reachable?',
  )
  run('tar', ['xf', file.trim(), '--strip-components=1', '-C', webgpu], 'The package cannot be unpacked.')
  rmSync(join(dist, file.trim()))
}

/** Runs the tests in a package's folder. @param {string} folder @param {string[]} args */
const test = (folder, ...args) =>
  spawnSync(process.execPath, [join(root, 'tools/run/jest.mjs'), '--verbose', ...args], {
    cwd: join(root, 'plugins', folder),
    stdio: 'inherit',
    env: {
      ...process.env,
      VK_ICD_FILENAMES: join(chromium, 'vk_swiftshader_icd.json'),
      LD_LIBRARY_PATH: chromium,
    },
  }).status ?? 1

/** Runs them with webgpu where the engine looks for it. */
function testAll() {
  const place = join(root, 'plugins/engine-tfjs-webgpu/node_modules/webgpu')
  const lent = !existsSync(place)
  if (lent) {
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(webgpu, place)
  }
  try {
    return [test('engine-tfjs-webgpu'), test('engine-onnxruntime', 'devices')]
  } finally {
    if (lent) rmSync(place)
  }
}

try {
  if (process.argv.length > 2) console.log(HELP)
  else {
    if (process.platform !== 'linux' || process.arch !== 'x64') throw new Unable('This works on Linux on x64 only.')
    mkdirSync(dist, { recursive: true })
    fetchDriver()
    fetchWebgpu()
    process.exitCode = Math.max(...testAll())
  }
} catch (error) {
  if (!(error instanceof Unable)) throw error
  console.error(error.message)
  process.exitCode = 1
}
