" SPDX-License-Identifier: BSD-3-Clause
" :make checks the file: mistakes are in the quickfix list, each at its place.

if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal commentstring=#\ %s comments=:# formatoptions-=t
setlocal iskeyword+=.,-
setlocal makeprg=postern\ rules\ check\ %:S
setlocal errorformat=%f:%l:%c:\ %trror:\ %m,%f:%l:%c:\ %tarning:\ %m,%f:\ %trror:\ %m,%-G%.%#

let b:undo_ftplugin = 'setlocal commentstring< comments< formatoptions< iskeyword< makeprg< errorformat<'
