" SPDX-License-Identifier: BSD-3-Clause
" Files of Postern's rules: *.rules in which a rule about mail or calls stands. Others (udev's, Suricata's own) stay what they were.

function! s:Detect() abort
  for line in getline(1, 200)
    if line =~# '^\s*\%(alert\|drop\|reject\|pass\)\s\+\%(smtp\|sip\|tcp\|udp\|ip\)\s'
      unlet! b:did_ftplugin " of the guess before
      set filetype=postern-rules
      return
    endif
  endfor
endfunction

autocmd BufRead,BufNewFile *.rules call s:Detect()
