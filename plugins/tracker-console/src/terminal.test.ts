import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { isLive, liveScreen, painter, widthOf } from './terminal.js'

const terminal = (isTTY?: boolean) => ({ isTTY, write: () => true })

describe('painter', () => {
  it('uses colour on a terminal only, and not if NO_COLOR is set', () => {
    expect(painter(terminal(true), {})('red', 'text')).not.toBe('text')
    expect(stripVTControlCharacters(painter(terminal(true), {})('red', 'text'))).toBe('text')
    expect(painter(terminal(true), { NO_COLOR: '1' })('red', 'text')).toBe('text')
    expect(painter(terminal(true), { TERM: 'dumb' })('red', 'text')).toBe('text')
    expect(painter(terminal(), {})('red', 'text')).toBe('text')
  })

  it('uses colour if NO_COLOR is empty, as no-color.org specifies', () =>
    expect(painter(terminal(true), { NO_COLOR: '' })('red', 'text')).not.toBe('text'))
})

describe('terminal properties', () => {
  it('are live unless the terminal is dumb or missing', () => {
    expect(isLive(terminal(true), {})).toBe(true)
    expect(isLive(terminal(true), { TERM: 'dumb' })).toBe(false)
    expect(isLive(terminal(), {})).toBe(false)
  })

  it('have the reported width, or 80 columns', () => {
    expect(widthOf({ ...terminal(), columns: 132 })).toBe(132)
    expect(widthOf({ ...terminal(), columns: 0 })).toBe(80)
    expect(widthOf(terminal())).toBe(80)
  })
})

describe('liveScreen', () => {
  it('keeps the progress line below printed lines, and clears it at the end', () => {
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
