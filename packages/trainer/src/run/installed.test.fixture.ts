import { fileURLToPath } from 'node:url'
import { type AnyPlugin, type Kind, fileName } from '@attune/core'
import { findInstalled } from '@attune/resolve'

const searchPaths = { folders: [fileURLToPath(new URL('../../../..', import.meta.url))] }

/** Finds a plugin of this workspace, which tests may use without importing its package. */
export const installed = async (kind: Kind<unknown>, name: string): Promise<AnyPlugin> =>
  (await findInstalled(kind, fileName(name), searchPaths)).plugin
