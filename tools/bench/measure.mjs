// @ts-check
/** Measures one workload. The peers take turns at each step, so that a slow phase of the machine affects all of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { matrixOperations } from './operations.mjs'
import { createWeights, does, start } from './peers.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */
/** @typedef {import('./peers.mjs').Peer} Peer */
/** @typedef {import('./peers.mjs').Conversation} Conversation */
/**
 * Results of one peer: times in milliseconds, memory in bytes, or the reason why there are none. `otherTexts` counts the steps in which
 * its generated text differs from that of the first peer.
 * @typedef {{ peer: string, about: string, ready?: string, failure?: string, median?: number, fastest?: number, slowest?: number, steps?: number, tokensPerSecond?: number, firstStepSeconds?: number, peakBytes?: number, rateShare?: number, otherTexts?: number }} Row
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

/** Losses of a peer in the steps of a workload. @param {Peer} peer @param {{ workload: Workload, weights: string }} given */
async function lossesOf(peer, given) {
  const { ask } = await start(peer, given)
  const losses = []
  for (let i = 1; i <= given.workload.rounds; i++) losses.push((await ask(String(i))).value)
  await ask('end')
  return losses
}

/**
 * Trains a tiny model without dropout with every peer and checks that all have the same losses, so that they do the same work. A peer
 * that cannot run it is reported and excluded from the result.
 * @param {Workload} workload @param {readonly Peer[]} peers @param {(text: string) => void} log @returns {Promise<Record<string, number[]>>}
 */
export const check = (workload, peers, log) =>
  withWeights(workload, async (weights) => {
    /** @type {Record<string, number[]>} */
    const losses = {}
    for (const peer of peers) {
      const own = await lossesOf(peer, { workload, weights }).catch((error) => void log(String(error.message)))
      if (own === undefined) continue
      losses[peer.name] = own
      const first = Object.values(losses)[0] ?? []
      const differs = own.some((loss, i) => !(Math.abs(loss - (first[i] ?? NaN)) <= TOLERANCE * Math.abs(loss)))
      if (differs)
        throw new Error(`${peer.name} does different work: expected losses ${first.join(', ')}, got ${own.join(', ')}`)
      log(`${peer.name}: losses ${own.map((loss) => loss.toFixed(5)).join(', ')}`)
    }
    return losses
  })

/** A peer running a workload. @typedef {{ peer: Peer, row: Row, talk: Conversation | undefined, times: number[], otherTexts: number }} Entrant */

/** Starts a peer and runs its first step. @param {Peer} peer @param {{ workload: Workload, weights: string }} given @returns {Promise<Entrant>} */
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
      otherTexts: 0,
    }
  } catch (error) {
    return {
      peer,
      row: { ...row, failure: String(error instanceof Error ? error.message : error) },
      talk: undefined,
      times: [],
      otherTexts: 0,
    }
  }
}

/** @param {Entrant} entrant @param {Workload} workload @param {number | undefined} rate @returns {Promise<Row>} */
async function leave({ row, talk, times, otherTexts }, workload, rate) {
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
    ...(workload.task === 'write' ? { otherTexts } : {}),
    ...(rate === undefined || operations === undefined
      ? {}
      : { rateShare: operations / (median / 1000) / (rate * 1e9) }),
  }
}

/** Runs the step of a round with each peer in turn. @param {number} round @param {Workload} workload @param {readonly Entrant[]} entrants */
async function takeTurns(round, { task }, entrants) {
  /** @type {number | undefined} */
  let first
  for (const entrant of entrants) {
    const { peer, talk, times } = entrant
    if (talk === undefined || times.length >= Math.ceil(round * peer.fraction)) continue
    const { milliseconds, value } = await talk.ask(String(round))
    if (!Number.isFinite(value) && task !== 'write')
      throw new Error(`${peer.name} returned ${value} in round ${round}: expected a finite loss`)
    times.push(milliseconds)
    first ??= value
    if (task === 'write' && value !== first) entrant.otherTexts++
  }
}

/**
 * @param {Workload} workload @param {readonly Peer[]} peers
 * @param {{ log: (text: string) => void, withRate: boolean }} how `withRate`: also measure large matrix products
 * @returns {Promise<Measured>}
 */
export const measure = (workload, peers, { log, withRate }) =>
  withWeights(workload, async (weights) => {
    /** @type {Entrant[]} */
    const entrants = []
    for (const peer of peers.filter((each) => does(each, workload.task))) {
      const entrant = await enter(peer, { workload, weights })
      log(`${peer.name}: ${entrant.row.failure ?? `first step after ${entrant.row.firstStepSeconds?.toFixed(1)} s`}`)
      entrants.push(entrant)
    }
    for (let round = 1; round <= workload.rounds; round++) {
      await takeTurns(round, workload, entrants)
      log(`round ${round} of ${workload.rounds}`)
    }
    const own = entrants.find(({ peer }) => peer.name === 'attune')?.talk
    const rate = own === undefined || !withRate || workload.task === 'write' ? undefined : (await own.ask('rate')).rate
    const rows = []
    for (const entrant of entrants) rows.push(await leave(entrant, workload, rate))
    return { workload, rate, rows }
  })
