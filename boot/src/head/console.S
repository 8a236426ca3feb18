# A last word in 32-bit protected mode, paging off: on the text screen's two bottom lines and on COM1, for there is no
# telling which of them somebody looks at. A macro, because the set-up code is linked apart from the image and needs it too.

    .set COM1, 0x3f8
    .set TEXT_SCREEN, 0xb8000
    .set LINE_BYTES, 160

.macro console32 name
# Sets COM1 to 115200 8n1, blanks the two lines. Returns edi, the cursor that \name\()_puts moves on. Clobbers eax, ecx, edx.
\name\()_open:
    movw    $COM1 + 3, %dx
    movb    $0x80, %al                      # line control: the divisor latch is visible
    outb    %al, %dx
    movw    $COM1, %dx
    movb    $1, %al
    outb    %al, %dx
    incw    %dx
    movb    $0, %al
    outb    %al, %dx
    movw    $COM1 + 3, %dx
    movb    $3, %al                         # eight data bits, one stop bit, no parity
    outb    %al, %dx
    incw    %dx
    outb    %al, %dx                        # modem control: DTR and RTS
    movl    $TEXT_SCREEN + 23 * LINE_BYTES, %edi
    movl    $LINE_BYTES, %ecx
    movw    $0x0720, %ax
    cld
    rep stosw
    movl    $TEXT_SCREEN + 23 * LINE_BYTES, %edi
    ret

# Writes the NUL-terminated text at esi. Clobbers eax, ebx, ecx, edx.
\name\()_puts:
    lodsb
    testb   %al, %al
    jz      .L\name\()_end
    cmpb    $0x20, %al
    jb      .L\name\()_control              # the screen has no use for a line end
    movb    $0x0f, %ah
    stosw
.L\name\()_control:
    movb    %al, %bl
    movw    $COM1 + 5, %dx
    movl    $0x10000, %ecx                  # a UART that is stuck must not keep the screen from us
.L\name\()_busy:
    inb     %dx, %al
    testb   $0x20, %al                      # line status: transmitter empty
    loopz   .L\name\()_busy
    movw    $COM1, %dx
    movb    %bl, %al
    outb    %al, %dx
    jmp     \name\()_puts
.L\name\()_end:
    ret
.endm
