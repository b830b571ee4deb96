// @ts-check
/** Serves the page of examples/browser: `node tools/browser/serve.mjs [PORT]`, after `npm run build`. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle, gzipped, page, rows } from './bundle.mjs'

/** Starts a server of the page on localhost. @param {number} port 0 for any free port */
export async function serve(port) {
  const script = await bundle('page.js')
  /** @type {Record<string, [type: string, content: string]>} */
  const files = {
    '/': ['text/html', readFileSync(join(page, 'index.html'), 'utf8')],
    '/page.js': ['text/javascript', script],
    '/rows.json': ['application/json', JSON.stringify(rows())],
  }
  const server = createServer(({ url = '/' }, response) => {
    const [type, content] = files[url] ?? []
    if (content === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(content)
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)))
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { server, url: `http://127.0.0.1:${address.port}/`, bytes: gzipped(script) }
}

if (process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url) {
  const { url, bytes } = await serve(Number(process.argv[2] ?? 8080))
  console.log(`${url} fine-tunes a small BERT in the browser; its script has ${Math.round(bytes / 1000)} kB gzipped.`)
}
