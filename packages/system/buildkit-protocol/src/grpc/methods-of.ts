import type { DescService } from '@bufbuild/protobuf'
import type { RemoteMethod } from './client.ts'

type MethodsOf<S extends DescService> = {
  readonly [K in keyof S['method']]: RemoteMethod<S['method'][K]['input'], S['method'][K]['output']>
}

/** A service's methods as a client calls them. */
export function methodsOf<S extends DescService>(service: S): MethodsOf<S> {
  const entries = service.methods.map(({ localName, name, input, output }) => [
    localName,
    { path: `/${service.typeName}/${name}`, input, output },
  ])
  return Object.fromEntries(entries) as MethodsOf<S>
}
