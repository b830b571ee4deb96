// @ts-check
/** CSV files with the rows that they contain: csv-spectrum. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isAttuneError } from '@attune/core'
import csv from '@attune/source-csv'
import { fetchPackage } from './fetch.mjs'

/** Rows of a file, or the refusal. @param {string} path */
async function read(path) {
  const rows = []
  try {
    for await (const row of csv({ path }).open()) rows.push(row)
  } catch (error) {
    if (!isAttuneError(error)) throw error
    return { refusal: `${error.code}: ${error.problem.split(' (')[0]}` }
  }
  return { rows }
}

/** @type {import('./suite.mjs').Suite} */
export async function csvFiles(folder) {
  const { path, name } = fetchPackage('csv-spectrum@2.0.0', folder)
  const files = readdirSync(join(path, 'csvs'))
  const failed = []
  for (const file of files) {
    const expected = readFileSync(join(path, 'json', file.replace(/csv$/, 'json')), 'utf8')
    const { rows, refusal } = await read(join(path, 'csvs', file))
    if (refusal !== undefined) failed.push({ name: file, reason: `refused, ${refusal}` })
    else if (JSON.stringify(rows) !== JSON.stringify(JSON.parse(expected)))
      failed.push({ name: file, reason: `other rows: ${JSON.stringify(rows).slice(0, 100)}` })
  }
  return [{ suite: 'CSV files', against: name, cases: files.length, failed }]
}
