/** The toy plugins as a module for a worker thread, with the list of plugins as its default export. */
export { toyPlugins as default } from './toy.test.fixture.js'
