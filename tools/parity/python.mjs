// @ts-check
/** The Python that tests run, if there is one. */
import { spawnSync } from 'node:child_process'

/**
 * A Python that can import a package: the one in the environment variable PYTHON, or python3.
 * @param {string} name of the package @returns {{ python: string, absent?: undefined } | { python?: undefined, absent: string }}
 */
export function pythonWith(name) {
  const python = process.env['PYTHON'] ?? 'python3'
  const { status, error } = spawnSync(python, ['-c', `import ${name}`])
  if (status === 0) return { python }
  return { absent: error === undefined ? `${python} cannot import ${name}` : `${python} not found` }
}
