// @ts-check
/**
 * Builds the native addon of @tensorflow/tfjs-node from the sources in its npm package against the TensorFlow library in the PyPI wheel,
 * for machines where the package's own installer cannot download its binaries. Then measures it. See README.md.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const HELP = `Usage: node tools/tfjs-native/build.mjs [--force]

Builds @tensorflow/tfjs-node into tools/tfjs-native/dist and measures it. --force rebuilds it if it exists. Needs Linux on x64,
npm, a C++ compiler (c++ or CXX) and Python 3 with pip.`

const TFJS_NODE = '4.22.0'
const NODE_API_HEADERS = '1.9.0'
/** 2.18 and 2.20 compile too, but are larger and no faster. */
const TENSORFLOW = '2.15.1'
/** Tags of the wheel; the Python version does not matter, because no Python code in it is used. */
const WHEEL = ['--implementation', 'cp', '--python-version', '3.11', '--platform', 'manylinux2014_x86_64']
/** Node-API version: the newest that tfjs-node 4.22 looks for; any Node since 16 has it. */
const NODE_API = 8

const dist = join(import.meta.dirname, 'dist')
const tfjsNode = join(dist, 'node_modules/@tensorflow/tfjs-node')
const wheels = join(dist, 'wheels')
const built = join(dist, 'built.json')
const versions = { tfjsNode: TFJS_NODE, tensorflow: TENSORFLOW, nodeApi: NODE_API }

/** An error with a cause that the user can fix. */
class Unable extends Error {}

/**
 * Runs a program and returns its output.
 * @param {string} program @param {string[]} args @param {string} otherwise the error message on failure
 */
function run(program, args, otherwise, cwd = dist) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (status === 0) return stdout
  const said = error?.message ?? `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n')
  throw new Unable(`${otherwise}\n\n$ ${program} ${args.join(' ')}\n${said}`)
}

/** Unpacks the package and its dependencies. @param {string} npm */
function unpackPackage(npm) {
  const fetched = `npm could not fetch @tensorflow/tfjs-node ${TFJS_NODE} or its dependencies. Is its registry reachable?`
  const [{ filename }] = JSON.parse(run(npm, ['pack', '--json', `@tensorflow/tfjs-node@${TFJS_NODE}`], fetched))
  mkdirSync(tfjsNode, { recursive: true })
  run('tar', ['xf', join(dist, filename), '--strip-components=1', '-C', tfjsNode], 'The package cannot be unpacked.')
  const { dependencies } = JSON.parse(readFileSync(join(tfjsNode, 'package.json'), 'utf8'))
  rmSync(join(dist, 'node_modules'), { recursive: true })
  // TF.js itself is resolved from the repository: two copies would each register every kernel.
  delete dependencies['@tensorflow/tfjs']
  const manifest = { private: true, dependencies: { ...dependencies, 'node-api-headers': NODE_API_HEADERS } }
  writeFileSync(join(dist, 'package.json'), JSON.stringify(manifest, null, 2))
  run(npm, ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], fetched)
  mkdirSync(tfjsNode, { recursive: true })
  run('tar', ['xf', join(dist, filename), '--strip-components=1', '-C', tfjsNode], 'The package cannot be unpacked.')
  rmSync(join(dist, filename))
}

/** Extracts the libraries and the C headers from the wheel. @param {string} python */
function unpackTensorFlow(python) {
  const only = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet']
  run(
    python,
    ['-m', 'pip', 'download', ...only, ...WHEEL, '--dest', wheels, `tensorflow-cpu==${TENSORFLOW}`],
    `pip could not download tensorflow-cpu ${TENSORFLOW}. Is its index reachable?`,
  )
  const [wheel = ''] = readdirSync(wheels)
  run(python, ['-c', EXTRACT, join(wheels, wheel), join(tfjsNode, 'deps')], 'The wheel cannot be unpacked.')
  rmSync(wheels, { recursive: true })
}

/** Python program that reads the wheel; the addon's linker options and Node expect the libraries in `deps/lib`. */
const EXTRACT = `
import os, shutil, sys, zipfile
wheel, deps = zipfile.ZipFile(sys.argv[1]), sys.argv[2]
for name in wheel.namelist():
    if name.startswith('tensorflow/libtensorflow'):
        path = os.path.join(deps, 'lib', os.path.basename(name))
    elif name.startswith('tensorflow/include/') and name.endswith('.h') and ('/c/' in name or 'ctstring' in name):
        path = os.path.join(deps, name[len('tensorflow/'):])
    else:
        continue
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with wheel.open(name) as source, open(path, 'wb') as target:
        shutil.copyfileobj(source, target)
`

/** Compiles the two files of the addon. @param {string} compiler */
function compile(compiler) {
  const lib = join(tfjsNode, `lib/napi-v${NODE_API}`)
  mkdirSync(lib, { recursive: true })
  const includes = [join(dist, 'node_modules/node-api-headers/include'), join(tfjsNode, 'deps/include')]
  const args = [
    ...['-O2', '-std=c++17', '-shared', '-fPIC', `-DNAPI_VERSION=${NODE_API}`],
    ...includes.map((folder) => `-I${folder}`),
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(tfjsNode, 'binding', file)),
    ...['-o', join(lib, 'tfjs_binding.node'), `-L${join(tfjsNode, 'deps/lib')}`],
    ...['-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', '-Wl,-rpath,$ORIGIN/../../deps/lib'],
  ]
  run(compiler, args, 'The addon failed to compile.')
}

/** Runs a step and prints its name and duration. @param {string} words @param {() => void} work */
function step(words, work) {
  process.stdout.write(`${words} … `)
  const begun = performance.now()
  work()
  console.log(`${((performance.now() - begun) / 1000).toFixed(1)} s`)
}

function build() {
  const [python, compiler] = [process.env['PYTHON'] ?? 'python3', process.env['CXX'] ?? 'c++']
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Unable(`This requires Linux on x64, got ${process.platform} on ${process.arch}.`)
  const here = import.meta.dirname
  run(compiler, ['--version'], `C++ compiler "${compiler}" not found: install one, or set CXX.`, here)
  run(python, ['-m', 'pip', '--version'], `"${python}" with pip not found: install it, or set PYTHON.`, here)
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist, { recursive: true })
  step(`@tensorflow/tfjs-node ${TFJS_NODE} from npm`, () => unpackPackage('npm'))
  step(`TensorFlow ${TENSORFLOW} from PyPI`, () => unpackTensorFlow(python))
  step('Compiling the addon', () => compile(compiler))
  writeFileSync(built, JSON.stringify(versions))
}

const { values } = parseArgs({ options: { force: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
try {
  const done = existsSync(built) && readFileSync(built, 'utf8') === JSON.stringify(versions)
  if (values.help) console.log(HELP)
  else {
    if (done && !values.force) console.log('Built already.')
    else build()
    console.log(`The package is in ${tfjsNode}`)
    process.stdout.write(
      run(process.execPath, [join(import.meta.dirname, 'measure.mjs'), tfjsNode], 'The built addon does not work.'),
    )
  }
} catch (error) {
  if (!(error instanceof Unable)) throw error
  console.error(`\n${error.message}`)
  process.exitCode = 1
}
