/** Small archives, as base64: two files, a link and a directory, of several owners and modes. */
export const archives = {
  gzip: 'H4sIAAAAAAACA+3VSw6CMBRA0Y5dBSugH0q7Ho1ijMYmfOL2bYgDxQR1YIP1nkkJMLvpe6UUX6ciX9fjGU3P8VlX3nirb++9V5UoapHA0PXrtihEG0I/99+r7z+qlE2S/s5Ou7u7/vaxfzy0E4VaUv/toTtm2D+cdyuBv1XKU5r57/37818rY+L9N82C7n+2878bNjJBf60/6W+dZf+n679PsP/tTP+n/e8qv7D9n2n//hLY/wAAAAAAAAAAAEAmriTBpTQAKAAA',
  gzipWithoutRoot:
    'H4sIAAAAAAACA+3UTQ6CMBCG4Vl7Cm7gFAo9D0YkxmgTCvH6FoILWeDKJsj7bKZ/iyaTby7yexpVVqeqWs61muvIiilc7qwZN/HcRZJpgr/JEPq6yzJp63sTVt6dr+Em/8c/moNgt8JwOqbIvzPmnfdlndYf+Tda5DH/Zcr8d973a+++3W+4/22S+W9X+m+X/S81Tzz/d9r//umZ/wAAAAAAAAAAAAAAbNwLRHMGbQAoAAA=',
} as const
