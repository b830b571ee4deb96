import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { isLive, liveScreen, painter, widthOf } from './terminal.js'

const terminal = (isTTY?: boolean) => ({ isTTY, write: () => true })

describe('colour', () => {
  it('is used on a terminal only, and not where NO_COLOR is set', () => {
    expect(painter(terminal(true), {})('red', 'text')).not.toBe('text')
    expect(stripVTControlCharacters(painter(terminal(true), {})('red', 'text'))).toBe('text')
    expect(painter(terminal(true), { NO_COLOR: '1' })('red', 'text')).toBe('text')
    expect(painter(terminal(true), { TERM: 'dumb' })('red', 'text')).toBe('text')
    expect(painter(terminal(), {})('red', 'text')).toBe('text')
  })

  it('is used where NO_COLOR is empty, as no-color.org has it', () =>
    expect(painter(terminal(true), { NO_COLOR: '' })('red', 'text')).not.toBe('text'))
})

describe('a terminal', () => {
  it('is drawn over unless it is dumb or none at all', () => {
    expect(isLive(terminal(true), {})).toBe(true)
    expect(isLive(terminal(true), { TERM: 'dumb' })).toBe(false)
    expect(isLive(terminal(), {})).toBe(false)
  })

  it('is as wide as it says, or 80 columns', () => {
    expect(widthOf({ ...terminal(), columns: 132 })).toBe(132)
    expect(widthOf({ ...terminal(), columns: 0 })).toBe(80)
    expect(widthOf(terminal())).toBe(80)
  })
})

describe('the live screen', () => {
  it('keeps the line of progress below what is printed, and takes it away at the end', () => {
    let written = ''
    const screen = liveScreen({ write: (text) => (written += text) })
    screen.show('one')
    screen.show('two')
    screen.print(['kept'])
    screen.close()
    screen.close()
    expect(written.replaceAll('\r\u001b[K', '<clear>')).toBe('one<clear>two<clear>kept\ntwo<clear>')
  })
})
