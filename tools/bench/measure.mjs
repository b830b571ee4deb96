// @ts-check
/** Measures one workload: all peers take their steps in turns, so that what slows the machine slows them all. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWeights, does, start } from './peers.mjs'
import { CHECK, matrixOperations } from './workloads.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */
/** @typedef {import('./peers.mjs').Peer} Peer */
/** @typedef {import('./peers.mjs').Conversation} Conversation */
/**
 * What one peer did: times in milliseconds, memory in bytes, or why there is nothing.
 * @typedef {{ peer: string, about: string, ready?: string, failure?: string, median?: number, fastest?: number, slowest?: number, steps?: number, tokensPerSecond?: number, firstStepSeconds?: number, peakBytes?: number, rateShare?: number }} Row
 * @typedef {{ workload: Workload, rate: number | undefined, rows: Row[] }} Measured
 */

const TOLERANCE = 1e-3

/** @param {readonly number[]} values */
const medianOf = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** @template T @param {Workload} workload @param {(weights: string) => Promise<T>} use */
async function withWeights(workload, use) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-bench-'))
  const weights = join(folder, 'model.safetensors')
  try {
    createWeights(workload, weights)
    return await use(weights)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * Trains a tiny model without dropout with every peer: they do the same work if they have the same losses.
 * @param {readonly Peer[]} peers @param {(text: string) => void} log @returns {Promise<Record<string, number[]>>}
 */
export const check = (peers, log) =>
  withWeights(CHECK, async (weights) => {
    /** @type {Record<string, number[]>} */
    const losses = {}
    for (const peer of peers) {
      const { ask } = await start(peer, { workload: CHECK, weights })
      const own = []
      for (let i = 1; i <= CHECK.rounds; i++) own.push((await ask(String(i))).value)
      await ask('end')
      losses[peer.name] = own
      const first = Object.values(losses)[0] ?? []
      const differs = own.some((loss, i) => !(Math.abs(loss - (first[i] ?? NaN)) <= TOLERANCE * Math.abs(loss)))
      if (differs)
        throw new Error(`${peer.name} does other work: losses ${own.join(', ')} instead of ${first.join(', ')}`)
      log(`${peer.name}: losses ${own.map((loss) => loss.toFixed(5)).join(', ')}`)
    }
    return losses
  })

/** One peer at one workload. @typedef {{ peer: Peer, row: Row, talk: Conversation | undefined, times: number[] }} Entrant */

/** Starts a peer and lets it take its first step. @param {Peer} peer @param {{ workload: Workload, weights: string }} given @returns {Promise<Entrant>} */
async function enter(peer, given) {
  /** @type {Row} */
  const row = { peer: peer.name, about: peer.about }
  try {
    const talk = await start(peer, given)
    await talk.ask('0')
    return {
      peer,
      row: { ...row, ready: talk.ready, firstStepSeconds: (performance.now() - talk.begun) / 1000 },
      talk,
      times: [],
    }
  } catch (error) {
    return {
      peer,
      row: { ...row, failure: String(error instanceof Error ? error.message : error) },
      talk: undefined,
      times: [],
    }
  }
}

/** @param {Entrant} entrant @param {Workload} workload @param {number | undefined} rate @returns {Promise<Row>} */
async function leave({ row, talk, times }, workload, rate) {
  if (talk === undefined) return row
  const { peakBytes } = await talk.ask('end')
  const median = medianOf(times)
  const operations = matrixOperations(workload)
  return {
    ...row,
    median,
    fastest: Math.min(...times),
    slowest: Math.max(...times),
    steps: times.length,
    tokensPerSecond: (1000 * workload.batch * workload.length) / median,
    peakBytes,
    ...(rate === undefined || operations === undefined
      ? {}
      : { rateShare: operations / (median / 1000) / (rate * 1e9) }),
  }
}

/**
 * @param {Workload} workload @param {readonly Peer[]} peers @param {(text: string) => void} log @returns {Promise<Measured>}
 */
export const measure = (workload, peers, log) =>
  withWeights(workload, async (weights) => {
    /** @type {Entrant[]} */
    const entrants = []
    for (const peer of peers.filter((each) => does(each, workload.task))) {
      const entrant = await enter(peer, { workload, weights })
      log(`${peer.name}: ${entrant.row.failure ?? `first step after ${entrant.row.firstStepSeconds?.toFixed(1)} s`}`)
      entrants.push(entrant)
    }
    for (let round = 1; round <= workload.rounds; round++) {
      const texts = new Set()
      for (const { peer, talk, times } of entrants)
        if (talk !== undefined && times.length < Math.ceil(round * peer.share)) {
          const { milliseconds, value } = await talk.ask(String(round))
          times.push(milliseconds)
          if (workload.task === 'write') texts.add(value)
        }
      if (texts.size > 1) log(`round ${round}: the peers wrote ${texts.size} different texts`)
      log(`round ${round} of ${workload.rounds}`)
    }
    const own = entrants.find(({ peer }) => peer.name === 'attune')?.talk
    const rate = own === undefined || workload.task === 'write' ? undefined : (await own.ask('rate')).rate
    const rows = []
    for (const entrant of entrants) rows.push(await leave(entrant, workload, rate))
    return { workload, rate, rows }
  })
