// @ts-check
/**
 * Runs the tests of the WebGPU engines on a machine without a GPU, on SwiftShader, a software implementation of Vulkan that is part of
 * Debian's package chromium-common. Installs nothing on the machine. See README.md.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

const HELP = `Usage: node tools/webgpu/run.mjs

Downloads SwiftShader (Debian's chromium-common, 32 MB) and the npm package webgpu (130 MB) into tools/webgpu/dist if they are
missing, and runs the tests of engine-tfjs-webgpu and of engine-onnxruntime with its device webgpu. Needs Linux on x64, apt-get, dpkg
and npm, but no root.`

const WEBGPU = '0.6.2'

const root = join(import.meta.dirname, '../..')
const dist = join(import.meta.dirname, 'dist')
const chromium = join(dist, 'chromium/usr/lib/chromium')
const webgpu = join(dist, 'webgpu')

/** An error with a cause that the user can fix. */
class Unable extends Error {}

/** @param {string} program @param {string[]} args @param {string} otherwise the error message on failure */
function run(program, args, otherwise) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: dist, encoding: 'utf8' })
  if (status !== 0) throw new Unable(`${otherwise}\n\n$ ${program} ${args.join(' ')}\n${error?.message ?? stderr}`)
  return stdout
}

/** Unpacks the driver from Debian's package. */
function fetchDriver() {
  if (existsSync(join(chromium, 'libvk_swiftshader.so'))) return
  run('apt-get', ['download', 'chromium-common'], 'apt-get cannot find chromium-common: run `apt-get update` first.')
  const file = readdirSync(dist).find((name) => name.startsWith('chromium-common')) ?? ''
  run('dpkg', ['-x', file, 'chromium'], 'The package cannot be unpacked.')
  rmSync(join(dist, file))
}

/** Unpacks the WebGPU package for Node. */
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

/** Runs the tests of a package. @param {string} folder @param {string[]} args */
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

/** Runs the tests with webgpu where the engine looks for it. */
function testAll() {
  const link = join(root, 'plugins/engine-tfjs-webgpu/node_modules/webgpu')
  const linked = !existsSync(link)
  if (linked) {
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(webgpu, link)
  }
  try {
    return [test('engine-tfjs-webgpu'), test('engine-onnxruntime', 'devices')]
  } finally {
    if (linked) rmSync(link)
  }
}

try {
  if (process.argv.length > 2) console.log(HELP)
  else {
    if (process.platform !== 'linux' || process.arch !== 'x64') throw new Unable('This requires Linux on x64.')
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
