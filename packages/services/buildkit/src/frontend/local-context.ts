import { cleanContextPath } from '@berth/builder'
import { fetchRemote, type FileSources, loadIgnored, receiveDirectory, type SmallFiles } from './load-definition.ts'

/** A directory that is received when a step needs it. */
export type LazyDirectory = (paths: readonly string[]) => Promise<string>

export interface LocalDirectory {
  readonly name: string
  /** Of the vertices: `[internal] load build context`, `[internal] load .dockerignore`. */
  readonly titles: { readonly tree: string; readonly ignoreFile: string }
  /** An ignore file that goes before the directory's own. */
  readonly ignoreFile?: string | undefined
  /** The directory's own, where it was asked for already. */
  readonly askedIgnoreFile?: Promise<SmallFiles> | undefined
  /** Paths that are known to be needed; undefined: all. */
  readonly paths: readonly string[] | undefined
}

/** A directory of the client's. What is known to be needed comes at once; should a step need more, all of it. */
export function localDirectory(sources: FileSources, directory: LocalDirectory): LazyDirectory {
  let excludes: Promise<readonly string[]> | undefined
  const receive = async (follows: readonly string[] | undefined): Promise<string> => {
    const { name, titles, ignoreFile, askedIgnoreFile: asked } = directory
    excludes ??= loadIgnored(sources, { name, title: titles.ignoreFile, asked }, ignoreFile)
    const wanted = { name, title: titles.tree, status: 'transferring context:', excludes: await excludes, follows }
    return await receiveDirectory(sources, wanted)
  }
  let known: Promise<string> | undefined
  let whole: Promise<string> | undefined
  return (paths) => {
    const isKnown = directory.paths && paths.every((path) => directory.paths?.includes(cleanContextPath(path)))
    return isKnown ? (known ??= receive(directory.paths)) : (whole ??= receive(undefined))
  }
}

/** What a URL names. */
export function remoteDirectory(sources: FileSources, url: string): LazyDirectory {
  let directory: Promise<string> | undefined
  return () => (directory ??= fetchRemote(sources, url).then(({ tree }) => tree.directory))
}
