import { applyEdits } from '@attune/data'
import { describeCleaner } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { html } from './html.js'

const clean = (text: string, blockText?: string): string =>
  applyEdits(text, html(blockText === undefined ? {} : { blockText }).edits(text))

describeCleaner(html, {
  cases: [
    { text: '<p>One <b>bold</b> word</p>', cleaned: '\nOne bold word\n' },
    { options: { blockText: ' ' }, text: 'one<br/>two<li>three', cleaned: 'one two three' },
    { text: 'AT&amp;T &lt;3 caf&eacute; &#8217;&#x2019; &nbsp;', cleaned: 'AT&T <3 café ’’ \u00a0' },
    { text: 'a<script>if (x < 1) "</p>"</script>b<style>p { x: "<b>" }</style>c', cleaned: 'abc' },
    { text: 'a<!-- <p> --><!DOCTYPE html><?xml version="1.0"?>b', cleaned: 'ab' },
    { text: '<a title="1 > 0" href=x>link</a >', cleaned: 'link' },
    { text: '5 < 6 & 7 > 2, i <3 you', cleaned: '5 < 6 & 7 > 2, i <3 you' },
    { text: 'x <y and z', cleaned: 'x <y and z' },
    { text: '&lt;b&gt;twice&lt;/b&gt; &amp;amp;amp;', cleaned: 'twice &' },
    { text: '<<b>b>joined', cleaned: 'joined' },
    { text: 'a</>b</ c>d', cleaned: 'abd' },
    { text: '&NotEqualTilde;', cleaned: '≂̸' },
    { text: 'open <script>never closed', cleaned: 'open ' },
    { text: '<TITLE>A &amp; B</TITLE>text', cleaned: '\nA & B\ntext' },
  ],
})

describe('html', () => {
  it('is idempotent on any mixture of markup', () =>
    fc.assert(
      fc.property(
        fc
          .array(
            fc.constantFrom(
              ...'<>&;/!-ab "\'=#'.split(''),
              '<p>',
              '</',
              '&lt',
              '&amp;',
              'script',
              '<!--',
              '-->',
              '&#60;',
              '<b ',
            ),
          )
          .map((parts) => parts.join('')),
        (text) => {
          const once = clean(text)
          expect([text, html().edits(once)]).toEqual([text, []])
        },
      ),
      { numRuns: 3000 },
    ))

  it.each([
    ['nested references', `&${'amp;'.repeat(250_000)}lt;b>`],
    ['tags that removal of other tags produces', `${'<'.repeat(300_000)}${'b>'.repeat(300_000)}`],
    ['attributes', `<a ${Array.from({ length: 150_000 }, (_, i) => `x${i}`).join(' ')}>`],
    ['unterminated comments', '<!--'.repeat(250_000)],
    ['nested tags', '<div><b>'.repeat(125_000)],
    ['references', '&lt;&gt;&copy'.repeat(77_000)],
    ['unterminated tags', '<a'.repeat(500_000)],
    ['unterminated closing tags', '</a '.repeat(250_000)],
    ['scripts', '<script></script >'.repeat(55_000)],
  ])('cleans a megabyte of %s in less than two seconds', (_, text) => {
    const start = process.cpuUsage().user
    const once = clean(text)
    expect((process.cpuUsage().user - start) / 1e6).toBeLessThan(2)
    expect(html().edits(once)).toEqual([])
  })
})
