// @ts-check
/** Readers that deliberately misbehave. */
import { exec } from 'node:child_process'
import { lookup } from 'node:dns'
import { readFile, readdir } from 'node:fs/promises'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { AttuneError, createBudget } from '@attune/core'

/** @import { Target } from './target.mjs' */

const TEXT = 'some words, and more words'
const OUTSIDE = '/etc/passwd'

const refuse = () => {
  throw new AttuneError('BAD_YAML', 'it is malformed', 'Fix it.')
}

/** Forbidden actions by name. @type {Record<string, (folder: string) => unknown>} */
const STRAYING = {
  'import of a module': () => import('node:trace_events'),
  'import of a module of the input': (folder) => import(join(folder, 'x.mjs')),
  'import that nobody waits for': () => void import('node:repl').catch(() => undefined),
  'import by require': () => createRequire(import.meta.url)('typescript'),
  'import that is only looked up': () => createRequire(import.meta.url).resolve('prettier'),
  'file read': () => readFileSync(OUTSIDE),
  'file read, and the error swallowed': () => readFile(OUTSIDE).catch(() => undefined),
  'file read, and the input refused': () => readFile(OUTSIDE).catch(refuse),
  'file behind a link'(folder) {
    symlinkSync(OUTSIDE, join(folder, 'link'))
    return readFileSync(join(folder, 'link'))
  },
  'file written beside the input': (folder) => writeFileSync(join(dirname(folder), 'beside'), ''),
  'file list': () => readdir('/'),
  'process started': () => exec('true'),
  'thread started': () => new Worker('1', { eval: true }),
  'socket connected': () => void connect(9, '127.0.0.1'),
  'socket of a request': () => fetch('http://127.0.0.1:8123/').catch(() => undefined),
  'socket for the look-up of a name': () => lookup('example.com', () => undefined),
  'environment read': () => process.env.HF_TOKEN,
}

/** @returns {Target[]} */
const straying = () =>
  Object.entries(STRAYING).map(([name, stray]) => {
    const state = { warm: false }
    return {
      name,
      files: true,
      valid: [{ 'x.mjs': 'export {}', text: TEXT }],
      // The valid inputs are read first, without monitoring.
      read: (_, folder) => (state.warm ? stray(folder) : void (state.warm = true)),
    }
  })

/** Readers that die or hang at about one in twenty inputs. @type {Record<string, () => unknown>} */
const FATAL = {
  'endless loop'() {
    for (;;);
  },
  'promise that never settles': () => new Promise(() => undefined),
  'death of the process': () => process.abort(),
}

/** @returns {Target[]} */
const fatal = () =>
  Object.entries(FATAL).map(([name, end]) => ({
    name,
    valid: [{ text: TEXT }],
    make: (random) => ({ text: random() < 0.05 ? 'fatal' : TEXT }),
    read: ({ text }) => (text === 'fatal' ? end() : undefined),
  }))

/** @returns {Target[]} */
const others = () => [
  {
    name: 'three fates',
    valid: [{ text: TEXT, fate: '2' }],
    make: (random) => ({ text: TEXT, fate: String(Math.floor(random() * 3)) }),
    read({ fate }) {
      if (fate === '0') refuse()
      if (fate === '1') throw new TypeError('undefined is not a function')
    },
  },
  {
    name: 'refused without a page',
    valid: [{ text: TEXT }],
    make: () => ({ text: '' }),
    read({ text }) {
      if (text === '') throw new AttuneError(`NO_${'SUCH'}_PAGE`, 'it is malformed', 'Fix it.')
    },
  },
  {
    name: 'error that nobody receives',
    valid: [{ text: TEXT }],
    make: () => ({ text: '' }),
    async read({ text }) {
      if (text === '') setTimeout(() => Promise.reject(new RangeError('lost')))
      await new Promise((done) => setTimeout(done, 5))
    },
  },
  {
    name: 'slow',
    valid: [{ text: TEXT }],
    make: () => ({ text: `${' '.repeat(28_000)}x` }),
    read({ text }) {
      const { user } = process.cpuUsage()
      do /\s+$/.exec(String(text))
      while (String(text).length > 20_000 && process.cpuUsage().user - user < 1e6)
    },
  },
  {
    name: 'costly in a linear way',
    valid: [{ text: TEXT }],
    read: ({ text }) => createBudget(1e9, () => new Error('too much')).spend(String(text).length),
  },
  {
    name: 'memory',
    valid: [{ text: TEXT }],
    make: () => ({ text: 'much' }),
    read: ({ text }) => (text === 'much' ? void Buffer.alloc(600e6, 1) : undefined),
  },
  {
    name: 'budget',
    valid: [{ text: TEXT }],
    make: () => ({ text: 'x'.repeat(70) }),
    read: ({ text }) => createBudget(0, () => new Error('too much')).spend(String(text).length),
  },
  {
    name: 'files of its own',
    files: true,
    valid: [{ 'a/b.txt.gz': TEXT }],
    async read(input, folder) {
      const { gunzipSync } = await import('node:zlib')
      const text = gunzipSync(await readFile(join(folder, 'a/b.txt.gz'))).toString()
      if (typeof input['a/b.txt.gz'] === 'string' && text !== input['a/b.txt.gz'].toWellFormed()) throw new Error(text)
      writeFileSync(join(folder, 'made'), text)
    },
  },
]

/** Names of the readers with forbidden actions. */
export const STRAYS = Object.keys(STRAYING)

/** @returns {Target[]} */
export const targets = () => [...straying(), ...fatal(), ...others()]
