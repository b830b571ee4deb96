#!/usr/bin/env node
// npm links a command when it installs, and only if its file exists: in a clone, dist is built after that.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/main.js', import.meta.url)
if (existsSync(fileURLToPath(main))) await import(main.href)
else {
  console.error('attune is not built: expected packages/cli/dist/main.js.\nBuild it with: npm run build')
  process.exitCode = 2
}
