// How a request's target is decoded, resolved and written again (rule 8), and what its trigger metadata holds (rule 7).
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinedQuery, streamingMetadata } from '../../host/functions/binding-data.ts'
import { encodeBuffered, encodeForwarded, readRequestPath } from '../../host/functions/request-path.ts'

describe('the path of a request', () => {
  it.each([
    ['/a%20b/c+d', '/a b/c+d'],
    ['/a%2Fb%2fc', '/a%2Fb%2fc'],
    ['/%E4%BD%A0', '/你'],
    ['/%F0%9F%8E%AC', '/🎬'],
    ['/%E4%BD', '/%E4%BD'],
    ['/%C3%28', '/%C3('],
    ['/%2525', '/%25'],
    ['/%zz%4', '/%zz%4'],
    ['/a%5Cb\\c', '/a\\b\\c'],
    ['/a%3Fb%23c', '/a?b#c'],
    ['/files/../hello', '/hello'],
    ['/files/%2e%2E/hello', '/hello'],
    ['/../../a', '/a'],
    ['/a/./b/.', '/a/b/'],
    ['/a/b/..', '/a/'],
    ['/a/.../b', '/a/.../b'],
    ['/a//b', '/a//b'],
    ['http://host:1/a%20b', '/a b'],
  ])('%s is %s', (target, path) => {
    expect(readRequestPath(target)).toEqual({ path, query: '' })
  })

  it('keeps the query byte for byte', () => {
    expect(readRequestPath('/a?x=%2F&y=../..')).toEqual({ path: '/a', query: '?x=%2F&y=../..' })
  })

  it.each(['/a%00b', '/a\x00', '/é'])('%j is no path', (target) => {
    expect(readRequestPath(target)).toBeUndefined()
  })

  it('shows the app an encoded slash twice encoded when streaming, and as it is when buffered', () => {
    expect(encodeForwarded('/a%2Fb c\\é')).toBe('/a%252Fb%20c%5C%C3%A9')
    expect(encodeBuffered('/a%2Fb c\\é%')).toBe('/a%2Fb%20c%5C%C3%A9%25')
  })

  it('never holds a dot segment, whatever is sent', () => {
    const part = fc.constantFrom('.', '..', '%2e', '%2E%2e', 'a', '', '%2F', '%', '%00x', '%C3%A9', '\\')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const read = readRequestPath(`/${parts.join('/')}`)
        expect(read === undefined).toBe(parts.includes('%00x'))
        if (!read) return
        expect(read.path.split('/').filter((segment) => segment === '.' || segment === '..')).toEqual([])
        expect(read.path).toMatch(/^\//)
      }),
    )
  })
})

describe('rule 7: trigger metadata', () => {
  const data = { params: {}, query: '', headers: { host: 'h' }, body: undefined }
  const strings = (more: object) =>
    Object.fromEntries(
      Object.entries(streamingMetadata({ ...data, ...more })).flatMap(([name, value]) =>
        value.string === undefined ? [] : [[name, value.string]],
      ),
    )

  it('mixes fields of a JSON body and query keys into the parameters, which win', () => {
    const body = Buffer.from('{"id":"evil","z":1,"yes":true,"list":[1],"deep":{"a":1},"none":null}')
    expect(strings({ params: { id: '7' }, query: '?q=1&q=2&Z=3&code=secret', body })).toEqual({
      id: '7',
      z: '3',
      yes: 'True',
      q: '2',
    })
  })

  it.each(['not json', '[1]', '{"a":', ''])('takes nothing from the body %j', (text) => {
    expect(strings({ body: Buffer.from(text) })).toEqual({})
  })

  it('carries the headers, unless a key of that name takes their place', () => {
    expect(streamingMetadata(data)).toEqual({ Headers: { json: '{"host":"h"}' } })
    expect(streamingMetadata({ ...data, query: '?headers=x' })).toEqual({ headers: { string: 'x' } })
    expect(streamingMetadata({ ...data, body: Buffer.from('{"Headers":{}}') })).toEqual({})
  })

  it('joins repeated query keys in buffered mode', () => {
    expect(joinedQuery('?q=1&q=2&Q=3&e=&f&p=a+b%20c')).toEqual({ q: '1,2,3', e: '', f: '', p: 'a b c' })
  })
})
