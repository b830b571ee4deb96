import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { hubSettings } from './settings.js'

const home = mkdtempSync(join(tmpdir(), 'attune-settings-'))
afterAll(() => rmSync(home, { recursive: true }))
const cacheOf = (environment: Record<string, string>): string => hubSettings({ environment }).cache

describe('the cache', () => {
  it('is the same folder as in the Python library', () => {
    expect(cacheOf({})).toBe(join(homedir(), '.cache/huggingface/hub'))
    expect(cacheOf({ XDG_CACHE_HOME: '/x' })).toBe('/x/huggingface/hub')
    expect(cacheOf({ XDG_CACHE_HOME: '/x', HF_HOME: '~/models' })).toBe(join(homedir(), 'models/hub'))
    expect(cacheOf({ HF_HOME: '/h', HF_HUB_CACHE: '/c' })).toBe('/c')
    expect(cacheOf({ HF_HUB_CACHE: '' })).toBe(join(homedir(), '.cache/huggingface/hub'))
    expect(hubSettings({ cache: '/own', environment: { HF_HUB_CACHE: '/c' } }).cache).toBe('/own')
  })
})

describe('the token', () => {
  const tokenOf = (environment: Record<string, string>): string | undefined =>
    hubSettings({ environment: { HF_HOME: home, ...environment } }).token()

  it('is read from HF_TOKEN, else from HF_TOKEN_PATH, else from the file in HF_HOME', () => {
    expect(tokenOf({})).toBeUndefined()
    writeFileSync(join(home, 'token'), 'hf_home\n')
    writeFileSync(join(home, 'other'), ' hf_other ')
    expect(tokenOf({})).toBe('hf_home')
    expect(tokenOf({ HF_TOKEN_PATH: join(home, 'other') })).toBe('hf_other')
    expect(tokenOf({ HF_TOKEN_PATH: join(home, 'other'), HF_TOKEN: 'hf_variable' })).toBe('hf_variable')
    expect(tokenOf({ HF_TOKEN: '  ' })).toBe('hf_home')
  })

  it('does not appear in serialized settings or in error messages', () => {
    expect(JSON.stringify(hubSettings({ environment: { HF_TOKEN: 'hf_seen' } }))).not.toContain('hf_seen')
    let message = ''
    try {
      tokenOf({ HF_TOKEN: 'hf_broken\nX-Injected: 1' })
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toContain('HF_TOKEN')
    expect(message).not.toContain('hf_broken')
  })
})

describe('the endpoint', () => {
  it('is the Hub, a variable or an option, without a trailing slash', () => {
    expect(hubSettings({ environment: {} }).endpoint).toBe('https://huggingface.co')
    expect(hubSettings({ environment: { HF_ENDPOINT: 'https://mirror.example/hf/' } }).endpoint).toBe(
      'https://mirror.example/hf',
    )
  })

  it.each(['mirror.example', 'ftp://x', 'file:///etc', 'https://user:secret@x', 'https://x?y=1'])(
    'cannot be %s',
    (endpoint) => {
      expect(() => hubSettings({ endpoint, environment: {} })).toThrow(/expected an http/)
      expect(() => hubSettings({ endpoint, environment: {} })).not.toThrow(/secret/)
    },
  )
})

describe('offline', () => {
  it('follows the variables as in the Python library', () => {
    const offline = (value: string): boolean => hubSettings({ environment: { HF_HUB_OFFLINE: value } }).offline
    expect(['1', 'ON', 'yes', 'True', '0', 'no', '', 'off'].map(offline)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ])
    expect(hubSettings({ offline: false, environment: { HF_HUB_OFFLINE: '1' } }).offline).toBe(false)
  })
})
