# What memory there is: the E820 map and, for a BIOS that has none, the two older calls. All three are asked, as Linux does.

    .section .setup16, "", @progbits
    .code16

    .set SMAP, 0x534d4150
    .set E820_ENTRY_SIZE, 20
    .set E820_MAX_ENTRIES, 128

detect_memory:
    movw    $setup_boot_params + E820_TABLE, %di
    xorl    %ebx, %ebx                      # BIOS's place in its list
1:  movl    $0xe820, %eax
    movl    $E820_ENTRY_SIZE, %ecx
    movl    $SMAP, %edx
    pushw   %di
    bios    0x15
    popw    %di
    jc      .Le820_end                      # some BIOSes mark the end like this
    cmpl    $SMAP, %eax
    je      2f
    movb    $0, setup_boot_params + E820_ENTRIES  # it does not know the call after all: believe none of it
    jmp     .Le820_end
2:  addw    $E820_ENTRY_SIZE, %di
    incb    setup_boot_params + E820_ENTRIES
    cmpb    $E820_MAX_ENTRIES, setup_boot_params + E820_ENTRIES
    jae     .Le820_end
    testl   %ebx, %ebx
    jnz     1b
.Le820_end:

    # E801: ax (or cx) = KiB from 1 MiB on, at most 15 MiB; bx (or dx) = 64 KiB units from 16 MiB on.
    movw    $0xe801, %ax
    xorw    %bx, %bx
    xorw    %cx, %cx
    xorw    %dx, %dx
    bios    0x15
    jc      .Le801_end
    movw    %cx, %si
    orw     %dx, %si
    jz      1f
    movw    %cx, %ax
    movw    %dx, %bx
1:  cmpw    $15 * 1024, %ax
    ja      .Le801_end                      # more than fits below 16 MiB
    movzwl  %ax, %eax
    jb      2f                              # a hole below 16 MiB: what lies above it is of no use to us
    movzwl  %bx, %ebx
    shll    $6, %ebx
    addl    %ebx, %eax
2:  movl    %eax, setup_boot_params + ALT_MEM_K
.Le801_end:

    # 88: ax = KiB from 1 MiB on, at most 63 MiB.
    movb    $0x88, %ah
    bios    0x15
    jc      1f
    movw    %ax, setup_boot_params + EXT_MEM_K
1:  ret
